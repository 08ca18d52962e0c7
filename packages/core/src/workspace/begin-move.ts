import { SkepError } from "../error.ts";
import type { Mode, WorkspaceId } from "./connector.ts";
import { isOver, startMigration } from "./migration.ts";
import type { Migration } from "./migration-state.ts";
import { refuseMode, refuseWorkspace, type WorkspaceRecord } from "./record.ts";

/**
 * The move of a workspace to a mode; the one that there is where it goes there already.
 * @throws SkepError `failed_precondition` `WORKSPACE_DELETED`, `WORKSPACE_STOPPED`, `MODE_REFUSED`,
 * `MODE_ALREADY`, `WORKSPACE_MOVING`.
 */
export function begunMove(workspace: WorkspaceRecord, last: Migration | undefined, to: Mode, now: number): Migration {
  const { id: workspaceId, desired, connector, purpose } = workspace;
  if (last !== undefined && !isOver(last)) {
    if (last.to !== to) throw refuseMove.moving(last);
    return last;
  }
  const from = connector.config.resources.type;
  if (desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
  if (from === to) throw refuseMove.already(workspaceId, to);
  if (desired === "stopped") throw refuseMove.stopped(workspaceId);
  refuseMode(workspaceId, to, purpose);
  const begun = startMigration({ workspaceId, from, to }, now);
  // Steps go on counting, so that what is said of an earlier move counts for none.
  return { ...begun, step: (last?.step ?? 0) + 1 };
}

/**
 * The move once somebody wants it back. It is another step: who decided on it before does not
 * write it. @throws SkepError `failed_precondition` `WORKSPACE_NOT_MOVING`.
 */
export function unwantedMove(workspaceId: WorkspaceId, move: Migration | undefined, actor: string): Migration {
  if (move === undefined || isOver(move)) throw refuseMove.notMoving(workspaceId);
  return { ...move, step: move.step + 1, abort: `${actor} wants it back` };
}

const refusal = (id: WorkspaceId, reason: string, sentence: string): SkepError =>
  new SkepError("failed_precondition", reason, sentence, { details: { workspaceId: id } });

const refuseMove = {
  moving: ({ workspaceId, from, to, stage }: Migration): SkepError =>
    refusal(
      workspaceId,
      "WORKSPACE_MOVING",
      `Workspace ${workspaceId} moves from ${from} to ${to} (${stage}); wait until that is over, or abort it.`,
    ),
  already: (id: WorkspaceId, mode: Mode): SkepError =>
    refusal(id, "MODE_ALREADY", `Workspace ${id} is ${mode} already; nothing is to be moved.`),
  stopped: (id: WorkspaceId): SkepError =>
    refusal(id, "WORKSPACE_STOPPED", `Workspace ${id} is stopped, and a move needs it to run; start it first.`),
  notMoving: (id: WorkspaceId): SkepError =>
    refusal(id, "WORKSPACE_NOT_MOVING", `Workspace ${id} does not move; there is nothing to abort.`),
} as const;
