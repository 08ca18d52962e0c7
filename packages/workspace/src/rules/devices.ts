import { NO_MEMORY, type DeviceMemory } from "@skep/core/rules/evaluate.ts";

/** What is remembered of devices, of the latest ones only (R42). */
export interface Devices {
  memoryOf(deviceId: string): DeviceMemory;
  /**
   * It counts as the latest from now on. `silentAt`: when its silence means something; `undefined`
   * for never.
   */
  remember(deviceId: string, memory: DeviceMemory, silentAt: number | undefined): void;
  /** Changes what is remembered of each. */
  revise(change: (memory: DeviceMemory) => DeviceMemory): void;
  /** Devices whose silence means something by now. */
  silentBy(now: number): readonly string[];
  size(): number;
  /** How many were forgotten for want of room: their rules began anew. */
  forgotten(): number;
  clear(): void;
}

/** Remembers so many at most; the one that was heard of least lately goes first. */
export function createDevices(most: number): Devices {
  const memories = new Map<string, DeviceMemory>();
  const silences = new Map<string, number>();
  let forgotten = 0;
  return {
    memoryOf: deviceId => memories.get(deviceId) ?? NO_MEMORY,
    remember: (deviceId, memory, silentAt) => {
      memories.delete(deviceId);
      memories.set(deviceId, memory);
      if (silentAt === undefined) silences.delete(deviceId);
      else silences.set(deviceId, silentAt);
      if (memories.size <= most) return;
      const [oldest] = memories.keys();
      memories.delete(oldest!);
      silences.delete(oldest!);
      forgotten += 1;
    },
    revise: change => {
      for (const [deviceId, memory] of memories) memories.set(deviceId, change(memory));
    },
    silentBy: now => [...silences].filter(([, at]) => at <= now).map(([deviceId]) => deviceId),
    size: () => memories.size,
    forgotten: () => forgotten,
    clear: () => {
      memories.clear();
      silences.clear();
    },
  };
}
