import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { WorkspaceDatabase } from "../database/database.ts";
import type { PortableDatabase } from "../database/portable.ts";
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
  /** Whether it moves to another host, which is given what this one has. */
  readonly isMoving: () => boolean;
  /** What knows its tokens. */
  readonly lock: Lock;
}

/**
 * The half of a workspace that moves which reads nothing: its database is open to the other one.
 */
export interface ServedHalf {
  readonly id: WorkspaceId;
  readonly portable: PortableDatabase;
  readonly lock: Lock;
}

/** The workspaces of a host, as who calls it from outside finds them. */
export interface ServedWorkspaces {
  get(id: WorkspaceId): ServedWorkspace | undefined;
  /** Enters one that has begun; answers what takes it out again. */
  add(served: ServedWorkspace): () => void;
  half(id: WorkspaceId): ServedHalf | undefined;
  /** The same for a half that the other one may call. */
  addHalf(half: ServedHalf): () => void;
}

/** Makes it without any. */
export function createServed(): ServedWorkspaces {
  const all = new Map<WorkspaceId, ServedWorkspace>();
  const halves = new Map<WorkspaceId, ServedHalf>();
  return {
    get: id => all.get(id),
    add: served => entered(all, served),
    half: id => halves.get(id),
    addHalf: half => entered(halves, half),
  };
}

function entered<T extends { readonly id: WorkspaceId }>(all: Map<WorkspaceId, T>, one: T): () => void {
  all.set(one.id, one);
  return () => {
    if (all.get(one.id) === one) all.delete(one.id);
  };
}
