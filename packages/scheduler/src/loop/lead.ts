import { createAssignments } from "./assignments.ts";
import type { Beats } from "./beats.ts";
import { createBlocks } from "./blocks.ts";
import { createCloneAlarm } from "./clones.ts";
import { createDirectory } from "./directory.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Hints } from "./hints.ts";
import { createHosting } from "./hosting.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { Leadership } from "./leader.ts";
import { createLiveness } from "./liveness.ts";
import { createLoadRecord } from "./load.ts";
import type { PodMaking } from "./pods.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { createRecordsGuard } from "./records-guard.ts";
import { createReconcile } from "./reconcile.ts";
import { createRedelivery } from "./redelivery.ts";
import { createRemovals } from "./removals.ts";
import type { Revocations } from "./revocations.ts";
import { createRetention } from "./retention.ts";
import { createScaling } from "./scaling.ts";
import type { Senders } from "./senders.ts";
import { createTick } from "./tick.ts";

/** The loops of one term of a leader. */
export interface Command extends Running {
  wake(): void;
  frozen(): boolean;
}

/** What they share with the loops that every replica runs. */
export interface LeadOptions {
  readonly leadership: Leadership;
  readonly beats: Beats;
  readonly hints: Hints;
  readonly senders: Senders;
  readonly revocations: Pick<Revocations, "isRevoked">;
  readonly probePort: number;
  /** Whether it gives workspaces their hosts. */
  readonly isHosting: boolean;
  /** How long the stages of a workspace's move may take; as for a fleet where it is undefined. */
  readonly moveTimes: MigrationTimes | undefined;
  readonly pods: PodMaking;
  /** Called when it begins or ceases to move nothing. */
  readonly onFreeze: () => void;
}

/**
 * Begins every loop that only a leader runs. They know nothing of an earlier term: what they need,
 * they load.
 */
export function lead(ports: LoopPorts, options: LeadOptions): Command {
  const { leadership, beats, hints, senders, revocations, probePort, onFreeze } = options;
  const removals = createRemovals(ports.store, leadership);
  const say = (decisions: readonly Decision[]): void => {
    hints.tell({ events: decisions });
    ports.store.saveDecisions(decisions).catch((error: unknown) => {
      ports.log.warn("decision.unsaved", "Decisions could not be recorded.", { error });
    });
  };
  const assignments = createAssignments(ports, leadership, removals, say);
  const guard = createRecordsGuard(ports, { leadership, beats, hints });
  const wake = (): void => tick.wake();
  const liveness = createLiveness(ports, { leadership, beats, hints, revocations, probePort, wake, onFreeze });
  const reconcile = createReconcile(ports, { leadership, guard, assignments, removals, beats, hints, senders, wake });
  const onMissingRow = (): void => reconcile.soon();
  const blocks = createBlocks(ports, { leadership, hints, wake });
  const directory = createDirectory(ports, { leadership, beats, senders, say });
  const telling = {
    tell: (world: World): void => {
      assignments.tell(world);
      directory.tell(world);
    },
  };
  const ticking = { leadership, guard, assignments: telling, removals, liveness, hints, blocks, onMissingRow };
  const tick = createTick(ports, ticking);
  const redelivery = createRedelivery(beats, assignments, leadership, wake);
  const load = createLoadRecord(ports, beats, leadership);
  const clones = createCloneAlarm(ports, beats);
  const retention = createRetention(ports, leadership);
  const hosting = options.isHosting
    ? [createHosting(ports, { leadership, guard, hints, moveTimes: options.moveTimes, pods: options.pods, wake })]
    : [];
  const scaling = options.isHosting ? [createScaling(ports, { leadership, hints })] : [];
  return {
    wake: () => {
      wake();
      for (const one of hosting) one.wake();
    },
    frozen: () => liveness.frozen(),
    close: async () => {
      const all: readonly Running[] = [
        tick,
        blocks,
        directory,
        reconcile,
        redelivery,
        liveness,
        load,
        clones,
        retention,
      ];
      await Promise.all([...all, ...hosting, ...scaling].map(loop => loop.close()));
    },
  };
}
