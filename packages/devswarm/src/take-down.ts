import { existsSync, readFileSync, rmSync } from "node:fs";
import { killScope, scopesWithPrefix } from "./cgroups.ts";
import { run } from "./command.ts";
import { withLock } from "./lock.ts";
import { subnetsLock } from "./names.ts";
import type { FleetNames } from "./names.ts";
import { namespacesWithPrefix, releaseNamespaceDir, removeFleetNetwork } from "./network.ts";
import { signal } from "./processes.ts";
import { readState } from "./state.ts";

/**
 * Removes everything of a fleet from this machine but its cache: processes, cgroups, namespaces,
 * links, mounts and runtime files. Works from the state file, and without one from the names alone,
 * so that the leftovers of a run that was killed go too. What does not bear the fleet's prefix is
 * never touched. The caller holds the fleet's lock.
 */
export async function takeDown(names: FleetNames): Promise<void> {
  const state = existsSync(names.stateFile) ? stateIfReadable(names) : undefined;
  for (const node of state?.nodes ?? []) if (node.boot !== undefined) signal(node.boot, "SIGKILL");
  const scopes = new Set([...(state?.owned.cgroups ?? []), ...scopesWithPrefix(names.prefix)]);
  await Promise.all([...scopes].map(scope => killScope(scope)));
  await removeFleetNetwork(names);
  await withLock(subnetsLock, 60_000, releaseNamespaceDir);
  await unmountBelow([names.runDir, names.cacheDir]);
  rmSync(names.runDir, { recursive: true, force: true });
}

/** Whether anything of the fleet is on this machine, apart from its cache. */
export function hasLeftovers(names: FleetNames): boolean {
  return (
    existsSync(names.runDir) ||
    namespacesWithPrefix(names.prefix).length > 0 ||
    scopesWithPrefix(names.prefix).length > 0
  );
}

// A file that is broken must not keep a fleet from being removed by its names.
function stateIfReadable(names: FleetNames): ReturnType<typeof readState> {
  try {
    return readState(names);
  } catch {
    return undefined;
  }
}

// Nodes mount in namespaces of their own, so there is nothing here to unmount, unless a node could
// not be given one.
async function unmountBelow(directories: readonly string[]): Promise<void> {
  const targets = readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map(line => line.split(" ")[1] ?? "");
  const ours = targets.filter(target => directories.some(directory => target.startsWith(`${directory}/`)));
  for (const target of ours.reverse()) await run(["umount", "-l", target]);
}
