import type { Usage } from "@skep/core/model/report.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** Collects what instances use and writes the latest of each, all in one statement. */
export interface UsageBuffer extends Running {
  add(usage: readonly Usage[]): void;
}

const EVERY_MS = 5_000;

/**
 * Makes one that writes every 5 s; what could not be written is kept until newer samples replace
 * it.
 */
export function createUsageBuffer(ports: Pick<LoopPorts, "store" | "clock" | "loops">): UsageBuffer {
  const { store, clock, loops } = ports;
  let unsaved = new Map<string, Usage>();

  async function save(): Promise<void> {
    const samples = unsaved;
    if (samples.size === 0) return;
    unsaved = new Map();
    try {
      await store.saveUsage([...samples.values()], clock.now());
    } catch (error) {
      unsaved = new Map([...samples, ...unsaved]);
      throw error;
    }
  }

  const loop = loops.begin("usage", save, { minGapMs: EVERY_MS, periodMs: EVERY_MS });
  return {
    add: samples => {
      for (const one of samples) unsaved.set(`${one.instanceId} ${one.epoch}`, one);
    },
    close: () => loop.close(),
  };
}
