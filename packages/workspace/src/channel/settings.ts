import type { WorkspaceId } from "@skep/core/workspace/connector.ts";

/** Where a reader reads, and as whom. */
export interface ReaderSettings {
  /** `mqtt://host:port` or `mqtts://host:port`; whoever is named in it is not used. */
  readonly url: string;
  readonly username: string;
  readonly password: string;
  /** Names the session: whoever connects by it later takes it over. */
  readonly clientId: string;
  readonly filters: readonly string[];
  /** Most messages that the broker sends without an acknowledgement. */
  readonly receiveMaximum: number;
  /** How long the broker keeps the session, and what is published meanwhile, without a reader. */
  readonly sessionExpirySeconds: number;
  /** The broker forgets the session that there was. */
  readonly beginsAnew?: true;
  readonly keepaliveSeconds: number;
  /** Whose gates are told what is acknowledged; nobody is where it is absent. */
  readonly confirms?: WorkspaceId;
  /** Certificates that are trusted instead of the machine's, PEM. */
  readonly ca?: string;
}
