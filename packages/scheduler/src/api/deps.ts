import type { Clone } from "@skep/core/identity/sessions.ts";
import type { PortRange } from "@skep/core/model/host-ports.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { Quota } from "@skep/core/model/tenant.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { PlacementSettings } from "@skep/core/world/world.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Dial } from "@skep/server/dial.ts";
import type { SeenReplica } from "../loop/replicas.ts";
import type { Store } from "../store/store.ts";

/**
 * Hints that records may have changed. A lost hint only costs time: watchers read again by
 * themselves.
 */
export interface ChangeHints {
  subscribe(handle: () => void): { close(): void };
}

/** What the business handlers need; `create-scheduler.ts` gives it to them. */
export interface ApiDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this replica, and the version it runs. */
  readonly replica: string;
  readonly version: string;
  /** Host ports that the operator lets people fix. */
  readonly fixedPorts: readonly PortRange[];
  /** Domains that nobody may take. */
  reservedDomains(): Promise<readonly string[]>;
  /** Hosts inside that workspaces may have as their database or S3 server. */
  readonly databaseHosts: readonly string[];
  /** Hosts of the platform's own network that webhooks may go to. */
  readonly webhookHosts: readonly string[];
  /** What placement goes by. */
  readonly placement: PlacementSettings;
  /** As in `SchedulerDeps`. */
  readonly moveTimes?: MigrationTimes | undefined;
  /** Where the edge of a node takes HTTP, by which pods reach shared hosts; absent without pods. */
  readonly podEdgePort?: number | undefined;
  /** Why no workspace can be standalone here; absent where one can. */
  readonly whyNoPods?: string | undefined;
  /** The bounds of a new tenant that names none. */
  readonly defaultQuota: Quota;
  /** The limits of a container that says none. */
  readonly defaultLimits: Limits;
  /** Tells the leading tick that something was committed. */
  wake(because: string): void;
  readonly hints: ChangeHints;
  /** Whether so many nodes are silent at once that nothing is moved. */
  frozen(): boolean;
  /** What is wrong with edges, a sentence each. */
  edgeWarnings(): readonly string[];
  /** The replicas seen lately, this one among them. */
  replicas(): readonly SeenReplica[];
  /** The nodes that this replica has a beat of. */
  heardNodes(): readonly string[];
  /** How long this replica has observed a node's silence, in ms; 0 while it cannot hear any. */
  silentMs(nodeId: string): number;
  /** Agents that refused the last assignment that they got, and why. */
  refusals(): readonly { readonly nodeId: string; readonly because: string }[];
  /** Agents that claim to be ahead of the records and cannot show it. */
  unproven(): readonly string[];
  /** Nodes as which two agents send at present. */
  clones(): readonly Clone[];
  /** Nodes were revoked or taken back. */
  keysChanged(): void;
  /** How hosts of workspaces are called. */
  readonly dial: Dial;
  /** A fresh id, unique in the platform. */
  newId(): string;
}
