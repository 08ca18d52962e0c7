import type { Connector, WorkspaceId } from "./connector.ts";
import type { HostId, WorkspaceLocation } from "./host.ts";
import type { MoveOrder } from "./move.ts";

/** A workspace that a host is told of. */
export interface AssignedWorkspace {
  readonly id: WorkspaceId;
  readonly epoch: number;
  /** `stop`: it is to let go of it. */
  readonly desired: "run" | "stop";
  readonly connector: Connector;
  /** Grows with each change of what is wanted of the workspace. */
  readonly version: number;
  /** How often a restart was asked for: a container that began at another number begins anew. */
  readonly restarts: number;
  /** Connections that it may have to its database. */
  readonly databasePool: number;
  /** Its database and its files are to be removed, and nothing of it runs. */
  readonly removesData?: true;
  /** It is deleted: nobody is to read what waits at its broker. */
  readonly isDropped?: true;
  /** How much room it has, as `scaled` makes it of its bounds; 1 where it is absent. */
  readonly instances?: number;
  /** Grows with each change of its rules and schemas; 0 where it has none. */
  readonly rulesVersion: number;
  /** `standby`: it is ready, and reads nothing. */
  readonly role?: WorkspaceLocation["role"];
  /** Absent where it does not move. */
  readonly move?: MoveOrder;
}

/** All that a host is to run. What it does not name is not touched. */
export interface HostAssignment {
  readonly hostId: HostId;
  /** Of the records that it was made from. */
  readonly incarnation: string;
  readonly term: number;
  readonly revision: number;
  readonly workspaces: readonly AssignedWorkspace[];
}

/**
 * Why a host does not take an assignment: it is for another one, or older than the one it works by.
 * Terms and revisions are numbers of one database; those of another one begin anew, since nothing
 * is read without the word of the records at that moment. `undefined` where it takes it.
 */
export function whyRefused(held: HostAssignment | undefined, next: HostAssignment, hostId: HostId): string | undefined {
  if (next.hostId !== hostId) return `it is for host ${next.hostId} and this is ${hostId}`;
  if (held === undefined || held.incarnation !== next.incarnation) return undefined;
  if (next.term < held.term) return `its term ${next.term} is lower than ${held.term}`;
  if (next.revision < held.revision) return `its revision ${next.revision} is lower than ${held.revision}`;
  return undefined;
}
