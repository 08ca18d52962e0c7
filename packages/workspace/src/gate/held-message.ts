import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Held, Waiting } from "./waiting.ts";

/** Whose messages they are; one for all of a connection. */
export interface Sender {
  readonly workspaceId: WorkspaceId;
  /** As whom the device is known. */
  readonly user: string;
  /** Where they wait: at the broker that is given them. */
  readonly waiting: Waiting;
}

/** Who hears what becomes of a message. */
export interface Owner {
  stored(one: Message): void;
  lost(one: Message, because: string): void;
}

/**
 * A message of a device that it has no answer to, or none that it has surely read. A gate has
 * 100,000 of them: they are small.
 */
export class Message implements Held {
  readonly sender: Sender;
  readonly digest: string;
  readonly packetId: number;
  readonly qos: number;
  /** The connection of its device; nobody's once that has ended. */
  owner: Owner;
  writtenAt = 0;
  acknowledgedAt: number | undefined = undefined;
  /** The broker has received it, of QoS 2, and not said that it is done. */
  isReceived = false;
  isAcknowledged = false;
  isStored = false;
  /** When its answer was written to the device, which may not have read it. */
  answeredAt: number | undefined = undefined;

  constructor(sender: Sender, owner: Owner, sent: Pick<Message, "digest" | "packetId" | "qos">) {
    this.sender = sender;
    this.owner = owner;
    this.digest = sent.digest;
    this.packetId = sent.packetId;
    this.qos = sent.qos;
  }

  get workspaceId(): WorkspaceId {
    return this.sender.workspaceId;
  }

  get user(): string {
    return this.sender.user;
  }

  get waiting(): Waiting {
    return this.sender.waiting;
  }

  stored(): void {
    this.owner.stored(this);
  }

  lost(because: string): void {
    this.owner.lost(this, because);
  }
}
