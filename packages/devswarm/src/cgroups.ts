import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** One mounted cgroup tree: the single tree of version 2, or one controller's tree of version 1. */
export interface Tree {
  readonly path: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** The mounted trees. */
export function trees(): readonly Tree[] {
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map(line => line.split(" "));
  return mounts.flatMap(([, path, kind, options]): readonly Tree[] => {
    if (path === undefined || !path.startsWith("/sys/fs/cgroup")) return [];
    if (kind === "cgroup2") return [{ path, version: 2, controllers: [] }];
    return kind === "cgroup" ? [{ path, version: 1, controllers: (options ?? "").split(",") }] : [];
  });
}

/**
 * Creates a scope ("sk-<fleet>-node-1") in every tree, with a leaf "engine" for processes of ours,
 * and returns the leaves' directories: a process that writes itself into all of them is counted. In
 * version 2 the scope itself must stay without processes, or containers could not be limited beside
 * them.
 */
export function createScope(scope: string): readonly string[] {
  return trees().map(tree => {
    const leaf = join(tree.path, scope, "engine");
    mkdirSync(leaf, { recursive: true });
    if (tree.controllers.includes("cpuset"))
      for (const directory of [scope, `${scope}/engine`]) inheritCpuset(tree, directory);
    return leaf;
  });
}

// A new cpuset of version 1 is empty and takes no process before it is filled.
function inheritCpuset(tree: Tree, directory: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const own = join(tree.path, directory, file);
    if (existsSync(own)) writeFileSync(own, readFileSync(join(tree.path, directory, "..", file), "utf8"));
  }
}

/** The names of all scopes that begin with `prefix`, in any tree. */
export function scopesWithPrefix(prefix: string): readonly string[] {
  const found = trees().flatMap(tree => readdirSync(tree.path).filter(name => name.startsWith(prefix)));
  return [...new Set(found)];
}

/** The ids of all processes in a scope and below, in any tree. */
export function processesIn(scope: string): readonly number[] {
  const pids = new Set<number>();
  for (const tree of trees()) {
    for (const directory of directoriesBelow(join(tree.path, scope))) {
      for (const line of readOr(join(directory, "cgroup.procs"), "").split("\n"))
        if (line !== "") pids.add(Number(line));
    }
  }
  // Zero stands for a process of a namespace that cannot be seen from here.
  pids.delete(0);
  return [...pids];
}

/**
 * Stops (or lets run again) every process of a scope, containers included. Throws an Error when the
 * kernel does not obey in 10 s.
 */
export async function freeze(scope: string, isFrozen: boolean): Promise<void> {
  const tree = trees().find(each => each.version === 1 && each.controllers.includes("freezer"));
  const unified = trees().find(each => each.version === 2);
  const wanted = isFrozen ? "FROZEN" : "THAWED";
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (tree !== undefined) {
      const file = join(tree.path, scope, "freezer.state");
      writeFileSync(file, wanted);
      if (readFileSync(file, "utf8").trim() === wanted) return;
    } else if (unified !== undefined) {
      writeFileSync(join(unified.path, scope, "cgroup.freeze"), isFrozen ? "1" : "0");
      if (readOr(join(unified.path, scope, "cgroup.events"), "").includes(`frozen ${isFrozen ? 1 : 0}`)) return;
    }
    await sleep(50);
  }
  throw new Error(
    `The processes of ${scope} did not become ${wanted.toLowerCase()} within 10 s; is a cgroup freezer mounted?`,
  );
}

/**
 * Kills every process of a scope, again and again until none is left, then removes the scope from
 * every tree. Only processes that are in the scope at the moment of the signal get it. Does nothing
 * when there is no such scope.
 */
export async function killScope(scope: string): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const pids = processesIn(scope);
    for (const pid of pids) killIfIn(pid, scope);
    // A frozen process of version 1 dies only once it is let run.
    if (pids.length > 0) thawAll(scope);
    if (pids.length === 0 && removeScope(scope)) return;
    if (attempt === 1000)
      throw new Error(
        `Processes ${pids.join(", ")} of ${scope} survive SIGKILL (or its cgroups are held); see /proc/<pid>/stack.`,
      );
    await sleep(20);
  }
}

function killIfIn(pid: number, scope: string): void {
  const memberships = readOr(`/proc/${pid}/cgroup`, "").split("\n");
  if (!memberships.some(line => line.split(":")[2]?.startsWith(`/${scope}/`))) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

function thawAll(scope: string): void {
  for (const tree of trees()) {
    for (const directory of directoriesBelow(join(tree.path, scope))) {
      for (const [file, value] of [
        ["freezer.state", "THAWED"],
        ["cgroup.freeze", "0"],
      ] as const) {
        try {
          if (existsSync(join(directory, file))) writeFileSync(join(directory, file), value);
        } catch {
          // The cgroup went away meanwhile.
        }
      }
    }
  }
}

function removeScope(scope: string): boolean {
  const directories = trees().flatMap(tree => directoriesBelow(join(tree.path, scope)));
  for (const directory of [...directories].reverse()) {
    try {
      rmdirSync(directory);
    } catch {
      // The kernel frees a cgroup a moment after its last process: the caller tries again.
    }
  }
  return !directories.some(directory => existsSync(directory));
}

// Parents before children.
function directoriesBelow(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory());
    return [directory, ...children.flatMap(entry => directoriesBelow(join(directory, entry.name)))];
  } catch {
    return [directory];
  }
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return fallback;
  }
}
