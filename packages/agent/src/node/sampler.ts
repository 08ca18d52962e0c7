import type { NodeLoad } from "@skep/core/model/node.ts";

/** Cpu time and memory of one container, as its control group counts them. */
export interface ContainerSample {
  readonly cpuMicros: number;
  readonly memoryBytes: number;
}

/**
 * Reads what the kernel counts, as a port. Neither call throws: what cannot be read is `undefined`.
 */
export interface Sampler {
  container(containerId: string): ContainerSample | undefined;
  /** Closes what is held open for containers other than these. */
  keep(containerIds: ReadonlySet<string>): void;
  /** Cpu share since the last call and memory share now; `undefined` at the first call. */
  load(): NodeLoad | undefined;
  close(): void;
}

/** The twin: nothing is ever measured. */
export const noSampler: Sampler = {
  container: () => undefined,
  keep: () => {},
  load: () => undefined,
  close: () => {},
};

/** Turns two samples into thousandths of a core; `undefined` without an earlier one. */
export function cpuMillisBetween(
  before: { readonly cpuMicros: number; readonly at: number } | undefined,
  now: { readonly cpuMicros: number; readonly at: number },
): number | undefined {
  if (before === undefined || now.at <= before.at) return undefined;
  return Math.max(0, Math.round((now.cpuMicros - before.cpuMicros) / (now.at - before.at)));
}
