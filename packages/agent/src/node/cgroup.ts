import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import type { NodeLoad } from "@skep/core/model/node.ts";
import type { ContainerSample, Sampler } from "./sampler.ts";

/**
 * Files of one container's control groups, kept open: reading an open file costs a fortieth of
 * opening it again.
 */
interface Opened {
  readonly cpu: number;
  readonly memory: number;
  readonly stat: number | undefined;
}

interface Hierarchy {
  readonly cpu: { readonly root: string; readonly file: string; readonly toMicros: (text: string) => number };
  readonly memory: { readonly root: string; readonly file: string; readonly cache: RegExp };
}

/**
 * How deep below the root a container's group may lie: the parent that the engine was given,
 * slices, pods.
 */
const SEARCH_DEPTH = 6;
const buffer = Buffer.alloc(8192);

/**
 * Reads control groups under `cgroupRoot` (the node's own `/sys/fs/cgroup`), of version 1 or 2, and
 * the node's load under
 * `procRoot`. The engine's statistics call is not used: it takes a second per container on older
 * engines.
 */
export function createCgroupSampler(cgroupRoot: string, procRoot: string): Sampler {
  const hierarchy = existsSync(join(cgroupRoot, "cgroup.controllers")) ? unified(cgroupRoot) : split(cgroupRoot);
  const opened = new Map<string, Opened>();
  const parents = new Set<string>();
  let before: { readonly busy: number; readonly total: number } | undefined;

  function open(containerId: string): Opened | undefined {
    const below = findGroup(hierarchy.cpu.root, containerId, parents);
    if (below === undefined) return undefined;
    const memoryDir = join(hierarchy.memory.root, below);
    return {
      cpu: openSync(join(hierarchy.cpu.root, below, hierarchy.cpu.file), "r"),
      memory: openSync(join(memoryDir, hierarchy.memory.file), "r"),
      stat: existsSync(join(memoryDir, "memory.stat")) ? openSync(join(memoryDir, "memory.stat"), "r") : undefined,
    };
  }

  function drop(containerId: string): void {
    const files = opened.get(containerId);
    opened.delete(containerId);
    for (const file of [files?.cpu, files?.memory, files?.stat]) if (file !== undefined) closeSync(file);
  }

  function read(containerId: string): ContainerSample | undefined {
    const files = opened.get(containerId) ?? open(containerId);
    if (files === undefined) return undefined;
    opened.set(containerId, files);
    const used = Number(readText(files.memory));
    // Cache that the kernel would give back at once is no use of the container's; `docker stats`
    // leaves it out as well.
    const cache = files.stat === undefined ? 0 : Number(hierarchy.memory.cache.exec(readText(files.stat))?.[1] ?? 0);
    return { cpuMicros: hierarchy.cpu.toMicros(readText(files.cpu)), memoryBytes: Math.max(0, used - cache) };
  }

  return {
    container: containerId => {
      try {
        return read(containerId);
      } catch {
        // The container ended, or was started again in a new group: its files answer ENODEV from
        // then on.
        drop(containerId);
        return undefined;
      }
    },
    keep: containerIds => {
      for (const id of opened.keys()) if (!containerIds.has(id)) drop(id);
    },
    load: () => {
      const now = readCpu(procRoot);
      const last = before;
      before = now;
      return now === undefined || last === undefined ? undefined : toLoad(last, now, procRoot);
    },
    close: () => {
      for (const id of opened.keys()) drop(id);
    },
  };
}

function unified(root: string): Hierarchy {
  return {
    cpu: { root, file: "cpu.stat", toMicros: text => Number(/^usage_usec (\d+)/m.exec(text)?.[1] ?? 0) },
    memory: { root, file: "memory.current", cache: /^inactive_file (\d+)/m },
  };
}

function split(root: string): Hierarchy {
  return {
    cpu: { root: join(root, "cpuacct"), file: "cpuacct.usage", toMicros: text => Number(text) / 1_000 },
    memory: { root: join(root, "memory"), file: "memory.usage_in_bytes", cache: /^total_inactive_file (\d+)/m },
  };
}

/**
 * The container's group relative to `root`. Containers of one engine share a parent, so known
 * parents are tried first.
 */
function findGroup(root: string, containerId: string, parents: Set<string>): string | undefined {
  const names = [containerId, `docker-${containerId}.scope`];
  for (const parent of parents) {
    const name = names.find(one => existsSync(join(root, parent, one)));
    if (name !== undefined) return join(parent, name);
  }
  const found = search(root, "", names, SEARCH_DEPTH);
  if (found !== undefined) parents.add(join(found, ".."));
  return found;
}

function search(root: string, below: string, names: readonly string[], depth: number): string | undefined {
  const dirs = readdirSync(join(root, below), { withFileTypes: true }).filter(entry => entry.isDirectory());
  const hit = dirs.find(entry => names.includes(entry.name));
  if (hit !== undefined) return join(below, hit.name);
  if (depth === 0) return undefined;
  for (const entry of dirs) {
    // Other containers have no containers of ours inside.
    if (/^(docker-)?[0-9a-f]{64}/.test(entry.name)) continue;
    const found = search(root, join(below, entry.name), names, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readText(file: number): string {
  return buffer.toString("latin1", 0, readSync(file, buffer, 0, buffer.length, 0));
}

function readCpu(procRoot: string): { busy: number; total: number } | undefined {
  try {
    const line = /^cpu +(.*)$/m.exec(readFileSync(join(procRoot, "stat"), "latin1"))?.[1] ?? "";
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = line
      .split(" ")
      .map(Number);
    const busy = user + nice + system + irq + soft + steal;
    return { busy, total: busy + idle + wait };
  } catch {
    return undefined;
  }
}

function toLoad(
  before: { busy: number; total: number },
  now: { busy: number; total: number },
  procRoot: string,
): NodeLoad | undefined {
  try {
    const text = readFileSync(join(procRoot, "meminfo"), "latin1");
    const total = Number(/^MemTotal: +(\d+)/m.exec(text)?.[1]);
    const available = Number(/^MemAvailable: +(\d+)/m.exec(text)?.[1]);
    const spent = now.total - before.total;
    if (!(total > 0) || !(spent > 0)) return undefined;
    return { cpuShare: share((now.busy - before.busy) / spent), memoryShare: share(1 - available / total) };
  } catch {
    return undefined;
  }
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
