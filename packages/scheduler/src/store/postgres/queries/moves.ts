import { begunMove, unwantedMove } from "@skep/core/workspace/begin-move.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { MoveChange } from "@skep/core/workspace/hosting-plan.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import type pg from "pg";
import type { MoveStore } from "../../move-store.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import { ask, inTransaction, type Queryable } from "../sql.ts";
import type { WorkspaceRow } from "../tables.ts";
import { LOCATION, toLocation, type LocationJson } from "./located.ts";
import { toWorkspace } from "./workspaces.ts";

/** A move as a row has it. */
const MOVE = `workspace_id AS "workspaceId", from_mode AS "from", to_mode AS "to", stage, step,
  started_at AS "startedAt", since, copied, copied_at AS "copiedAt", lost_at AS "lostAt", abort, because`;

/** Of a move: it is not over, as core's `isOver` says. */
export const GOES_ON = "stage NOT IN ('done', 'returned')";

/** Those that go on. One whose workspace is deleted does not: what is left of both halves ends. */
export const MOVES = `SELECT ${MOVE} FROM workspace_moves WHERE ${GOES_ON}
  AND workspace_id IN (SELECT id FROM workspaces WHERE desired <> 'deleted') ORDER BY workspace_id`;

/** A row of `MOVE`. */
export type MoveJson = Omit<Migration, "lostAt"> & { readonly lostAt: number | null };

/** A move out of its row. */
export function toMove({ lostAt, ...rest }: MoveJson): Migration {
  return { ...rest, lostAt: lostAt ?? undefined };
}

const GET = { name: "get-move", text: `SELECT ${MOVE} FROM workspace_moves WHERE workspace_id = $1` };
const HALVES = {
  name: "get-move-halves",
  text: `SELECT ${LOCATION} FROM workspace_locations WHERE workspace_id = $1 ORDER BY epoch`,
};

const PUT = `INSERT INTO workspace_moves (workspace_id, from_mode, to_mode, stage, step, started_at, since, copied,
    copied_at, lost_at, abort, because)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (workspace_id) DO UPDATE SET from_mode = $2, to_mode = $3, stage = $4, step = $5, started_at = $6,
    since = $7, copied = $8, copied_at = $9, lost_at = $10, abort = $11, because = $12`;

/** The connector says the mode too; hosts and gates go by the column. */
const CHANGE_MODE = `UPDATE workspaces SET mode = $2, version = version + 1, updated_at = $3,
    connector = jsonb_set(connector, '{connector,config,resources,type}', to_jsonb($2::text))
  WHERE id = $1 AND mode <> $2`;

/** Both halves are told. */
const RAISE = `UPDATE workspace_hosts SET revision = revision + 1
  WHERE host_id IN (SELECT host_id FROM workspace_locations WHERE workspace_id = $1)`;

/** See `MoveStore`. */
export function createMoves(db: Queryable): MoveStore {
  return {
    startMove: (id, to, request, now) =>
      changeMove(db, id, { action: `workspace.migrate ${to}`, request, now }, (workspace, last) =>
        begunMove(workspace, last, to, now),
      ),
    abortMove: (id, request, now) =>
      changeMove(db, id, { action: "workspace.abort-move", request, now }, (_, last) =>
        unwantedMove(id, last, request.actor),
      ),
    getMove: async id => {
      const [row] = await ask<MoveJson & Record<string, unknown>>(db, GET, [id]);
      if (row === undefined) return undefined;
      const halves = await ask<LocationJson & Record<string, unknown>>(db, HALVES, [id]);
      return { move: toMove(row), halves: halves.map(toLocation) };
    },
  };
}

/** Writes where moves are, in a commit of the leader; one that is done changes the mode. */
export async function writeMoves(connection: pg.PoolClient, moves: readonly MoveChange[], now: number): Promise<void> {
  for (const { move } of moves) {
    await connection.query(RAISE, [move.workspaceId]);
    await connection.query(PUT, valuesOf(move));
    if (move.stage === "done") await connection.query(CHANGE_MODE, [move.workspaceId, move.to, now]);
  }
}

interface Asked {
  readonly action: string;
  readonly request: Request;
  readonly now: number;
}

/** The workspace's row is locked, as the leader's commit locks it: one of them is first. */
async function changeMove(
  db: Queryable,
  id: WorkspaceId,
  { action, request, now }: Asked,
  next: (workspace: WorkspaceRecord, last: Migration | undefined) => Migration,
): Promise<Migration> {
  return inTransaction(db, async connection => {
    const found = await connection.query<WorkspaceRow>("SELECT * FROM workspaces WHERE id = $1 FOR UPDATE", [id]);
    const [row] = found.rows;
    if (row === undefined) throw refuse.noWorkspace(id);
    const known = await connection.query<MoveJson>(GET.text, [id]);
    const last = known.rows.map(toMove)[0];
    const move = next(toWorkspace(row), last);
    if (move === last) return move;
    await connection.query(PUT, valuesOf(move));
    const audit = "INSERT INTO audit_log (at, actor, action, target) VALUES ($1, $2, $3, $4)";
    await connection.query(audit, [now, request.actor, action, id]);
    return move;
  });
}

function valuesOf(move: Migration): unknown[] {
  const { workspaceId, from, to, stage, step, startedAt, since, copied, copiedAt, lostAt, abort, because } = move;
  return [workspaceId, from, to, stage, step, startedAt, since, copied, copiedAt, lostAt ?? null, abort, because];
}
