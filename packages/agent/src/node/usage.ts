import type { Usage } from "@skep/core/model/report.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { cpuMillisBetween, type Sampler } from "./sampler.ts";

/** Measures what instances use, from one call to the next. */
export interface UsageMeter {
  measure(containers: readonly ObservedContainer[]): readonly Usage[];
}

/** Makes a meter over a sampler; an instance shows from its second sample on. */
export function createUsageMeter(sampler: Sampler, clock: Clock): UsageMeter {
  let before = new Map<string, { readonly cpuMicros: number; readonly at: number }>();
  return {
    measure: containers => {
      const running = containers.filter(one => one.state === "running");
      const now = new Map<string, { readonly cpuMicros: number; readonly at: number }>();
      const byInstance = new Map<string, Usage>();
      sampler.keep(new Set(running.map(one => one.id)));
      for (const { id, instanceId, epoch } of running) {
        const sample = sampler.container(id);
        if (sample === undefined) continue;
        const point = { cpuMicros: sample.cpuMicros, at: clock.monotonic() };
        now.set(id, point);
        const cpuMillis = cpuMillisBetween(before.get(id), point);
        if (cpuMillis === undefined) continue;
        const key = `${instanceId}@${epoch}`;
        const sum = byInstance.get(key);
        byInstance.set(key, {
          instanceId,
          epoch,
          cpuMillis: cpuMillis + (sum?.cpuMillis ?? 0),
          memoryBytes: sample.memoryBytes + (sum?.memoryBytes ?? 0),
        });
      }
      before = now;
      return [...byInstance.values()];
    },
  };
}
