import type { Usage } from "../store/reports.ts";
import type { Outage } from "./outage.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** Collects what instances use and writes the latest of each, all in one statement; a lost sample is followed by another. */
export interface UsageBuffer extends Running {
  add(usage: readonly Usage[]): void;
}

const EVERY_MS = 5_000;

/** Makes one that writes every 5 s. */
export function createUsageBuffer(ports: Pick<LoopPorts, "store" | "clock">, outage: Outage): UsageBuffer {
  const { store, clock } = ports;
  let usage = new Map<string, Usage>();
  let cancel = clock.timer(EVERY_MS, flush);

  function flush(): void {
    cancel = clock.timer(EVERY_MS, flush);
    if (usage.size === 0) return;
    const samples = [...usage.values()];
    usage = new Map();
    void store.saveUsage(samples, clock.now()).then(outage.succeeded, outage.failed);
  }
  return {
    add: samples => {
      for (const one of samples) usage.set(`${one.instanceId} ${one.epoch}`, one);
    },
    close: async () => cancel(),
  };
}
