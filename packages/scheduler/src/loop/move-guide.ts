import { sideOf as brokerOf } from "@skep/core/workspace/broker.ts";
import { MIGRATION_TIMES, ordersOf, waitsForGates } from "@skep/core/workspace/migration.ts";
import type { Migration, MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { GatesBehind } from "@skep/core/workspace/plan-moves.ts";
import type { GateStore } from "../store/gate-store.ts";
import type { Mandate } from "../store/mandate.ts";

/**
 * Sends the devices of workspaces that move to the broker where their stage wants them, and answers
 * which gates may still have some where they were. Nothing is known of a move in the look in which
 * its devices are sent elsewhere.
 */
export async function guideDevices(
  store: Pick<GateStore, "locateBrokers" | "switchDevices" | "listGatesBehind">,
  moves: readonly Migration[],
  mandate: Mandate,
  now: number,
  { gateSilentMs }: Pick<MigrationTimes, "gateSilentMs"> = MIGRATION_TIMES,
): Promise<GatesBehind> {
  if (moves.length === 0) return new Map();
  const brokers = await store.locateBrokers(
    moves.map(one => one.workspaceId),
    now,
  );
  const known = new Map(brokers.map(one => [one.workspaceId, one]));
  const behind = new Map<string, readonly string[]>();
  for (const move of moves) {
    const { workspaceId: id, from, to } = move;
    const broker = known.get(id);
    if (broker === undefined) continue;
    const wanted = brokerOf(ordersOf(move).devicesAt === "source" ? from : to);
    if (broker.side !== wanted) await store.switchDevices(id, wanted, broker.serial, mandate, now);
    else if (waitsForGates(move))
      behind.set(
        id,
        (await store.listGatesBehind(id, now - gateSilentMs)).map(one => one.gateId),
      );
  }
  return behind;
}
