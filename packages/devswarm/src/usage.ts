import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scopesWithPrefix, trees, type Tree } from "./cgroups.ts";
import { askEngine } from "./engine-api.ts";
import type { Fleet } from "./model.ts";
import { fleetNames } from "./names.ts";

/** What something uses of the machine. */
export interface Usage {
  /** Memory that cannot be given back, so without the cache of files. */
  readonly memoryBytes: number;
  /** Time of processors that was used until now. */
  readonly cpuMs: number;
}

/** What a fleet uses, engines and containers, by its cgroups. */
export function fleetUsage(fleet: Fleet): Usage {
  const scopes = scopesWithPrefix(fleetNames(fleet.name).prefix);
  return sumOf(scopes.flatMap(scope => trees().map(tree => scopeUsage(tree, join(tree.path, scope)))));
}

const NOTHING: Usage = { memoryBytes: 0, cpuMs: 0 };

/** What the tree says of a scope; nothing where its controllers count something else. */
function scopeUsage({ version, controllers }: Tree, scope: string): Usage {
  const figures = (file: string): Readonly<Record<string, number>> =>
    Object.fromEntries(
      readFileSync(join(scope, file), "utf8")
        .split("\n")
        .map(line => line.split(" "))
        .map(([name = "", value]) => [name, Number(value)]),
    );
  const one = (file: string): number => Number(readFileSync(join(scope, file), "utf8"));
  if (!existsSync(scope)) return NOTHING;
  if (version === 2) {
    // Beside trees of version 1 it has no controllers.
    if (!existsSync(join(scope, "memory.stat"))) return NOTHING;
    const { file = 0, shmem = 0 } = figures("memory.stat");
    return { memoryBytes: one("memory.current") - file + shmem, cpuMs: (figures("cpu.stat")["usage_usec"] ?? 0) / 1e3 };
  }
  if (controllers.includes("memory")) {
    const { total_cache: cache = 0, total_shmem: shmem = 0 } = figures("memory.stat");
    return { ...NOTHING, memoryBytes: one("memory.usage_in_bytes") - cache + shmem };
  }
  return controllers.includes("cpuacct") ? { ...NOTHING, cpuMs: one("cpuacct.usage") / 1e6 } : NOTHING;
}

interface Stats {
  readonly memory_stats: { readonly usage?: number; readonly stats?: Readonly<Record<string, number>> };
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
}

/** What the containers with one of these labels use, by the engine behind `socket`. */
export async function containersUsage(socket: string, labels: readonly string[]): Promise<Usage> {
  const ids = new Set<string>();
  for (const label of labels) {
    const filters = encodeURIComponent(JSON.stringify({ label: [label] }));
    const found = await askEngine<readonly { readonly Id: string }[]>(
      socket,
      "GET",
      `/containers/json?filters=${filters}`,
    );
    for (const { Id } of found) ids.add(Id);
  }
  const asked = [...ids].map(id =>
    askEngine<Stats>(socket, "GET", `/containers/${id}/stats?stream=false&one-shot=true`),
  );
  // One that ends meanwhile uses nothing.
  const answered = await Promise.allSettled(asked);
  return sumOf(answered.flatMap(answer => (answer.status === "fulfilled" ? [containerUsage(answer.value)] : [])));
}

function containerUsage({ memory_stats: { usage = 0, stats = {} }, cpu_stats: cpu }: Stats): Usage {
  const cache = stats["total_cache"] ?? stats["file"] ?? 0;
  const shared = stats["total_shmem"] ?? stats["shmem"] ?? 0;
  return { memoryBytes: usage - cache + shared, cpuMs: cpu.cpu_usage.total_usage / 1e6 };
}

function sumOf(usages: readonly Usage[]): Usage {
  return usages.reduce(
    (all, one) => ({ memoryBytes: all.memoryBytes + one.memoryBytes, cpuMs: all.cpuMs + one.cpuMs }),
    NOTHING,
  );
}
