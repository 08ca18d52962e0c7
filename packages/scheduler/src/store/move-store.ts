import type { Mode, WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import type { MovingLocation } from "@skep/core/workspace/move.ts";
import type { Request } from "./request.ts";

/** A move, and what the hosts of both halves say of it. */
export interface RecordedMove {
  readonly move: Migration;
  /** By epoch. */
  readonly halves: readonly MovingLocation[];
}

/** Moves of workspaces between modes, one for each. The leader writes how far they are. */
export interface MoveStore {
  /**
   * Begins a move; answers the one that there is where the workspace goes there already.
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`, and as core's `begunMove`.
   */
  startMove(id: WorkspaceId, to: Mode, request: Request, now: number): Promise<Migration>;
  /** Has a move go back. @throws SkepError as `startMove`, and as core's `unwantedMove`. */
  abortMove(id: WorkspaceId, request: Request, now: number): Promise<Migration>;
  /** The move at present, or the last one; `undefined` where it never moved. */
  getMove(id: WorkspaceId): Promise<RecordedMove | undefined>;
}
