import type { WorkspaceId } from "./connector.ts";
import type { HostId, HostLoad, WorkspaceLocation } from "./host.ts";
import type { MoveFacts } from "./move.ts";

/** A workspace at one of its placements. */
export interface WorkspaceEpoch {
  readonly workspaceId: WorkspaceId;
  readonly epoch: number;
}

/** How a workspace is on its host. */
export interface HostedStatus extends WorkspaceEpoch {
  readonly state: WorkspaceLocation["state"];
  readonly isHealthy: boolean;
  /** Numbers for statistics, by name. */
  readonly counts: Readonly<Record<string, number>>;
  /** What failed last; empty where nothing did. Never holds a secret. */
  readonly lastError: string;
  /** Of its half of a move; absent where it does not move. */
  readonly move?: MoveFacts;
}

/** What a host works by. */
export interface AppliedAssignment {
  /** Empty where it has none yet. */
  readonly incarnation: string;
  readonly term: number;
  readonly revision: number;
}

/** What a host says of itself each second. */
export interface HostReport {
  readonly hostId: HostId;
  readonly nodeId: string;
  /** The one workspace that it may run; `undefined` for a host that many share. */
  readonly workspaceId: WorkspaceId | undefined;
  /** When its process began, ms since 1970. */
  readonly startedAt: number;
  readonly version: string;
  /** Grows with each report of the process. */
  readonly seq: number;
  /** `drain`: it was told to end and gives everything away. */
  readonly availability: "active" | "drain";
  /** Most workspaces that it may run. */
  readonly most: number;
  readonly load: HostLoad;
  /** At which schedulers and edges reach it; empty where that is not known. */
  readonly address: string;
  /** Where it serves events and data; 0 where it does not. */
  readonly eventsPort: number;
  readonly applied: AppliedAssignment;
  /** All that it has, and all that it has let go of and was not told to forget yet. */
  readonly workspaces: readonly HostedStatus[];
}

/** The answer to a report. It is the host's lease: without it nothing is read. */
export interface HostAnswer {
  /** How long the granted ones may be read, counted from when the report was sent. */
  readonly holdMs: number;
  /** Those that it named and that are its own. */
  readonly granted: readonly WorkspaceEpoch[];
  /** Those that it named and that are not its own any more: it lets go of them and forgets them. */
  readonly ended: readonly WorkspaceEpoch[];
  /**
   * Why it has to let go of everything and begin anew under another id: the records do not know it.
   * Empty where they do.
   */
  readonly anew: string;
  /** Of what it is to run: a host that is not told it soon attaches again. */
  readonly revision: number;
}
