import type { WorkspaceId } from "./connector.ts";
import type { HostingRecords, MoveChange } from "./hosting-plan.ts";
import { advanceMigration, MIGRATION_TIMES } from "./migration.ts";
import type { MigrationTimes } from "./migration-state.ts";
import { factsOf, hasToRun } from "./move.ts";
import type { HostLiveness } from "./plan-hosting.ts";

/**
 * Of each workspace that moves, the gates that may have devices where they were before they were
 * sent elsewhere; `undefined` where that is not known.
 */
export type GatesBehind = ReadonlyMap<WorkspaceId, readonly string[] | undefined>;

/** Why the move of a workspace goes back that is stopped. */
const STOPPED = "the workspace is to stop";

/**
 * How moves go on, by what is known now. One whose workspace is stopped goes back, and waits where
 * it cannot.
 */
export function planMoves(
  { workspaces, locations, hosts, moves }: HostingRecords,
  liveness: HostLiveness,
  gates: GatesBehind,
  now: number,
  times: MigrationTimes = MIGRATION_TIMES,
): readonly MoveChange[] {
  const desired = new Map(workspaces.map(one => [one.id, one.desired]));
  const known = new Map(
    hosts.map(({ id, workspaceId }) => [id, { workspaceId, liveness: liveness.get(id) ?? ("suspect" as const) }]),
  );
  return moves.flatMap(recorded => {
    const { workspaceId: id, step: fromStep } = recorded;
    const wanted = desired.get(id) ?? "deleted";
    if (!hasToRun(wanted, recorded)) return [];
    const isToStop = wanted === "stopped" && recorded.abort === "";
    const move = isToStop ? { ...recorded, abort: STOPPED } : recorded;
    const own = locations.filter(one => one.workspaceId === id);
    const facts = factsOf(move, { locations: own, hosts: known, gatesBehind: gates.get(id) });
    const next = advanceMigration(move, facts, now, times);
    return next === move ? [] : [{ move: next, fromStep }];
  });
}
