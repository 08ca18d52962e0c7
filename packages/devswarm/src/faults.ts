import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { freeze } from "./cgroups.ts";
import { prepareDataDir } from "./data-root.ts";
import { awaitEngine, bootEngine, killEngine } from "./engine.ts";
import type { Fleet } from "./model.ts";
import { withLock } from "./lock.ts";
import { fleetNames, nodeNames } from "./names.ts";
import type { FleetNames, NodeNames } from "./names.ts";
import { createNodeNetwork, removeNodeNetwork, setNodeLink } from "./network.ts";
import { engineVersion } from "./prerequisites.ts";
import { isAlive } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";
import { nodeRecord, readState, withNode, writeState } from "./state.ts";
import type { FleetState, NodeRecord } from "./state.ts";

/**
 * Kills a node as a power cut would: engine, shims and containers at once, and its address falls
 * silent. Does nothing more to a dead one.
 */
export function killNode(fleet: Fleet, node: string): Promise<void> {
  return change(fleet, node, async ({ names, own, record }) => {
    await killEngine(own, record.boot);
    await removeNodeNetwork(names, own);
    return { state: "killed" };
  });
}

/**
 * Boots a node that was killed, or whose engine died, again on its old data and waits until its
 * engine answers. It rejoins the swarm by itself, a moment later; a node that was cut stays cut.
 * Does nothing to a running one.
 */
export function startNode(fleet: Fleet, node: string): Promise<void> {
  return change(fleet, node, async ({ names, own, record, state }) => {
    if (record.boot !== undefined && isAlive(record.boot)) return {};
    await killEngine(own, record.boot);
    await removeNodeNetwork(names, own);
    prepareDataDir(own.dataDir, false);
    await createNodeNetwork(names, own, { subnetNumber: state.subnetNumber, index: record.index, isCut: record.isCut });
    const version = Number.parseInt(await engineVersion(), 10);
    const bootOnce = async (): Promise<ProcessIdentity> => {
      const boot = await bootEngine(own, names.runDir, state.subnetNumber, version);
      writeState(names, withNode(state, node, { boot, state: "running" }));
      await awaitEngine(own, boot);
      return boot;
    };
    try {
      return { boot: await bootOnce(), state: "running" };
    } catch (cause) {
      // Docker 20.10 that was killed while it wrote down a network panics over the half-written
      // record at every start. What a person would do: remove the records of local networks.
      // A network that is needed is made anew.
      if (!readFileSync(own.logFile, "utf8").slice(-16_000).includes("reservePools")) throw cause;
      await killEngine(own, undefined);
      rmSync(join(own.dataDir, "docker", "network", "files", "local-kv.db"), { force: true });
      return { boot: await bootOnce(), state: "running" };
    }
  });
}

/**
 * Stops every process of a node where it is, containers included, as a host that hangs. The kernel
 * still answers for its address.
 */
export function pauseNode(fleet: Fleet, node: string): Promise<void> {
  return change(fleet, node, async ({ own, record }) => {
    if (record.state === "killed")
      throw new Error(`${node} of fleet ${fleet.name} is killed: start it before you pause it.`);
    await freeze(own.scope, true);
    return { state: "paused" };
  });
}

/** Lets a paused node run on. Does nothing to one that is not paused. */
export function resumeNode(fleet: Fleet, node: string): Promise<void> {
  return change(fleet, node, async ({ own, record }) => {
    if (record.state !== "paused") return {};
    await freeze(own.scope, false);
    return { state: "running" };
  });
}

/** Pulls a node's network cable: everything on it runs on, and nobody reaches it nor it anybody. */
export function cutNode(fleet: Fleet, node: string): Promise<void> {
  return setCut(fleet, node, true);
}

/** Plugs a node's network cable in again. */
export function healNode(fleet: Fleet, node: string): Promise<void> {
  return setCut(fleet, node, false);
}

function setCut(fleet: Fleet, node: string, isCut: boolean): Promise<void> {
  return change(fleet, node, async ({ names, own, record }) => {
    // A killed node has no cable; the record is heeded when it boots.
    if (record.state !== "killed") await setNodeLink(names, own, !isCut);
    return { isCut };
  });
}

interface Target {
  readonly names: FleetNames;
  readonly own: NodeNames;
  readonly state: FleetState;
  readonly record: NodeRecord;
}

// One operation on a fleet at a time: each reads the state, acts, and writes what became of the
// node.
async function change(
  fleet: Fleet,
  node: string,
  act: (target: Target) => Promise<Partial<NodeRecord>>,
): Promise<void> {
  const lockFile = fleetNames(fleet.name).lockFile;
  await withLock(lockFile, 180_000, async () => {
    const state = runningState(fleet.name);
    const names = fleetNames(fleet.name, state.cacheDir);
    const target = { names, own: nodeNames(names, node), state, record: nodeRecord(state, node) };
    const result = await act(target);
    writeState(names, withNode(state, node, result));
  });
}

/** The state of a fleet that must be up. Throws an Error that says how to start it. */
export function runningState(name: string): FleetState {
  const state = readState(fleetNames(name));
  if (state?.phase === "up") return state;
  throw new Error(`There is no fleet "${name}" up on this machine; start it with \`devswarm up --fleet ${name}\`.`);
}
