import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";

const PERIOD_MS = 5_000;

/**
 * The leader's record of load and last sight: one statement each 5 s for all nodes that have beaten
 * since the last.
 */
export function createLoadRecord(ports: LoopPorts, beats: Beats, leadership: Leadership): Running {
  const { store, clock, loops } = ports;
  let savedMs = 0;
  return loops.begin(
    "load",
    async () => {
      const fromMs = savedMs;
      const untilMs = beats.awakeMs();
      const heard = [...beats.all()].flatMap(([nodeId, { beat, atMs }]) =>
        atMs > fromMs && beat !== undefined ? [{ nodeId, load: beat.load }] : [],
      );
      await store.saveBeats(heard, leadership, clock.now());
      savedMs = untilMs;
    },
    { minGapMs: 1_000, periodMs: PERIOD_MS },
  );
}
