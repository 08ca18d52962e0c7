import type { Limits } from "@skep/core/model/resources.ts";
import type { Assembled } from "./assemble.ts";
import type { ServiceDraft } from "./draft.ts";
import type { Problems } from "./problems.ts";

const MIB = 1024 * 1024;
const KINDS = ["memoryBytes", "cpuMillis", "pids"] as const;
/** Names in one sentence; the others are counted. */
const MOST_NAMES = 5;

/**
 * Says once which services get the platform's limits, since Compose itself has none. A limit that a
 * reservation has lifted is not the platform's.
 */
export function noteLimits(deployments: readonly Assembled[], limits: Limits, problems: Problems): void {
  const services = deployments.flatMap(one => one.services);
  const parts = KINDS.flatMap(kind => {
    const among = services.filter(service => isDefault(service, kind, limits));
    return among.length === 0 ? [] : [`${amountOf(kind, limits[kind])} (${listed(among)})`];
  });
  const first = services.find(service => KINDS.some(kind => isDefault(service, kind, limits)));
  if (first === undefined) return;
  problems.note(
    first.place,
    `the file sets no limit, so the platform's hold: ${parts.join(", ")}`,
    "Write `mem_limit`, `cpus` and `pids_limit`, or deploy.resources.limits, for others",
  );
}

/**
 * Notes where files in memory may come to more than the container's memory: they count there, so
 * that it is ended before they are full.
 */
export function noteMemoryFiles(deployments: readonly Assembled[], problems: Problems): void {
  for (const { service, place, container } of deployments.flatMap(one => one.services)) {
    const sizes = [container.shmBytes ?? 0, ...container.tmpfs.map(({ sizeBytes }) => sizeBytes ?? 0)];
    const most = sizes.reduce((sum, size) => sum + size, 0);
    const { memoryBytes } = container.resources;
    if (most > memoryBytes)
      problems.note(
        place,
        `\`${service}\` may hold ${inMib(most)} in /dev/shm and its tmpfs, and its memory is ${inMib(memoryBytes)}`,
        "What they hold counts as its memory: write a larger `mem_limit`, or smaller sizes",
      );
  }
}

function inMib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

function isDefault({ limits, container }: ServiceDraft, kind: keyof Limits, defaults: Limits): boolean {
  return !limits.has(kind) && container.resources[kind] === defaults[kind];
}

function amountOf(kind: keyof Limits, value: number): string {
  switch (kind) {
    case "memoryBytes":
      return `${inMib(value)} of memory`;
    case "cpuMillis":
      return value === 1000 ? "1 core" : `${value / 1000} cores`;
    case "pids":
      return `${value} processes`;
  }
}

function listed(services: readonly ServiceDraft[]): string {
  const names = services.slice(0, MOST_NAMES).map(service => service.service);
  const more = services.length - names.length;
  return more > 0 ? `${names.join(", ")} and ${more} more` : names.join(", ");
}
