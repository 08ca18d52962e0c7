import type { WorkspaceId } from "./connector.ts";
import type { HostingRecords, MoveChange } from "./hosting-plan.ts";
import { advanceMigration, MIGRATION_TIMES } from "./migration.ts";
import type { MigrationTimes } from "./migration-state.ts";
import { factsOf } from "./move.ts";
import type { HostLiveness } from "./plan-hosting.ts";

/**
 * Of each workspace that moves, the gates that may have devices where they were before they were
 * sent elsewhere; `undefined` where that is not known.
 */
export type GatesBehind = ReadonlyMap<WorkspaceId, readonly string[] | undefined>;

/** How moves go on, by what is known now. One whose workspace is stopped waits until it runs. */
export function planMoves(
  { workspaces, locations, hosts, moves }: HostingRecords,
  liveness: HostLiveness,
  gates: GatesBehind,
  now: number,
  times: MigrationTimes = MIGRATION_TIMES,
): readonly MoveChange[] {
  const wanted = new Set(workspaces.flatMap(one => (one.desired === "run" ? [one.id] : [])));
  const known = new Map(
    hosts.map(({ id, workspaceId }) => [id, { workspaceId, liveness: liveness.get(id) ?? ("suspect" as const) }]),
  );
  return moves.flatMap(move => {
    const { workspaceId: id, step: fromStep } = move;
    if (!wanted.has(id)) return [];
    const own = locations.filter(one => one.workspaceId === id);
    const facts = factsOf(move, { locations: own, hosts: known, gatesBehind: gates.get(id) });
    const next = advanceMigration(move, facts, now, times);
    return next === move ? [] : [{ move: next, fromStep }];
  });
}
