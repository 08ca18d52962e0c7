import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { WorkspaceDatabase } from "../database/database.ts";
import type { Lock } from "../events/token.ts";
import type { WorkspaceFiles } from "../files/files.ts";
import type { Told } from "../ingest/told.ts";
import type { DeadLetter } from "../message.ts";

/** A workspace that this host has begun. */
export interface ServedWorkspace {
  readonly id: WorkspaceId;
  /** Of the placement by which the host has it. */
  readonly epoch: number;
  readonly database: WorkspaceDatabase;
  /** Absent where the host has no file storage. */
  readonly files: WorkspaceFiles | undefined;
  readonly stored: Pick<Told, "listen" | "listeners">;
  /** Has a dead letter typed, judged and stored anew. */
  readonly again: (letter: DeadLetter) => Promise<void>;
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
