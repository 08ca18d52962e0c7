import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Lock } from "../events/token.ts";
import type { Database } from "../parts.ts";

/** A workspace that this host has begun. */
export interface ServedWorkspace {
  readonly id: WorkspaceId;
  /** Of the placement by which the host has it. */
  readonly epoch: number;
  readonly database: Database;
  /** Whether this host owns it at this moment. */
  readonly mayRead: () => boolean;
  /** What knows its tokens. */
  readonly lock: Lock;
}

/** The workspaces of a host, as who calls it from outside finds them. */
export interface ServedWorkspaces {
  get(id: WorkspaceId): ServedWorkspace | undefined;
  /** Enters one that has begun; answers what takes it out again. */
  add(served: ServedWorkspace): () => void;
}

/** Makes it without any. */
export function createServed(): ServedWorkspaces {
  const all = new Map<WorkspaceId, ServedWorkspace>();
  return {
    get: id => all.get(id),
    add: served => {
      all.set(served.id, served);
      return () => {
        if (all.get(served.id) === served) all.delete(served.id);
      };
    },
  };
}
