import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "./cluster.ts";

const OVER_MS = 10_000;

/** Measures for 10 s what everything together uses, this process too, and says it. */
export async function usageSentence(cluster: Cluster): Promise<string> {
  const before = await cluster.usage();
  const mine = process.cpuUsage();
  const startedAt = performance.now();
  await sleep(OVER_MS);
  const after = await cluster.usage();
  const { user, system } = process.cpuUsage(mine);
  const cores = (after.cpuMs - before.cpuMs + (user + system) / 1e3) / (performance.now() - startedAt);
  const gigabytes = (after.memoryBytes + process.memoryUsage.rss()) / 1e9;
  return `\nAll of it uses ${gigabytes.toFixed(1)} GB of memory and ${cores.toFixed(2)} of ${cpus().length} cores.\n`;
}
