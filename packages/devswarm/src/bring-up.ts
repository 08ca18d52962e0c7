import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareDataDir } from "./data-root.ts";
import { awaitEngine, bootEngine } from "./engine.ts";
import type { FleetOptions } from "./model.ts";
import { withLock } from "./lock.ts";
import { nodeAddress, nodeNames, subnetsLock } from "./names.ts";
import type { FleetNames } from "./names.ts";
import { claimNamespaceDir, createFleetNetwork, createNodeNetwork, freeSubnetNumber } from "./network.ts";
import { engineVersion } from "./prerequisites.ts";
import { bootId } from "./processes.ts";
import { registryScope, startRegistry } from "./registry.ts";
import { withNode, writeState } from "./state.ts";
import type { FleetState, NodeRecord } from "./state.ts";
import { formSwarm } from "./swarm.ts";

/**
 * Starts a fleet where nothing of it is left, and returns its state, which is also in its state
 * file. The caller holds the fleet's lock and takes the fleet down when this throws. `stop` ends it
 * early.
 */
export async function bringUp(names: FleetNames, options: FleetOptions, stop: AbortSignal): Promise<FleetState> {
  const step = stepper(options, stop);
  const isFresh = options.fresh ?? true;
  let state = await step("network", () => reserveNetwork(names, options, isFresh));
  const majorVersion = Number.parseInt(await engineVersion(), 10);
  const update = (next: FleetState): void => {
    state = next;
    writeState(names, state);
  };
  const startNode = async (record: NodeRecord): Promise<void> => {
    const node = nodeNames(names, record.name);
    prepareDataDir(node.dataDir, isFresh);
    await createNodeNetwork(names, node, { subnetNumber: state.subnetNumber, index: record.index, isCut: false });
    const boot = await bootEngine(node, names.runDir, state.subnetNumber, majorVersion);
    update(withNode(state, record.name, { boot, state: "running" }));
    await awaitEngine(node, boot, stop);
  };
  await step("registry and engines", () =>
    allSettledOk([
      startRegistry(names, state.subnetNumber, stop).then(registry => update({ ...state, registry })),
      ...state.nodes.map(startNode),
    ]),
  );
  const members = state.nodes.map(record => ({ ...record, socket: nodeNames(names, record.name).socket }));
  const swarmIds = await step("swarm", () => formSwarm(members, stop));
  for (const [name, swarmId] of swarmIds) state = withNode(state, name, { swarmId });
  update({ ...state, phase: "up" });
  return state;
}

function stepper(options: FleetOptions, stop: AbortSignal): <T>(text: string, work: () => Promise<T>) => Promise<T> {
  return async (text, work) => {
    stop.throwIfAborted();
    const startedAt = performance.now();
    const result = await work();
    options.onStep?.(text, Math.round(performance.now() - startedAt));
    return result;
  };
}

// All of them end before an error is thrown: nothing may still be starting while the caller cleans
// up.
async function allSettledOk(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) if (outcome.status === "rejected") throw outcome.reason;
}

// Two fleets that start at once must not choose the same subnet: the choice is visible to others as
// soon as the host's link has its address, and the lock is held until then.
function reserveNetwork(names: FleetNames, options: FleetOptions, isFresh: boolean): Promise<FleetState> {
  return withLock(subnetsLock, 60_000, async () => {
    const former = formerSubnetNumber(names);
    const subnetNumber = await freeSubnetNumber(former);
    if (!isFresh && former !== undefined && former !== subnetNumber) {
      throw new Error(
        `Fleet ${names.fleet} cannot continue: its swarm was made in 10.77.${former}.0/24, which is in use on this host now. ` +
          "Free that subnet, or start afresh.",
      );
    }
    const state = plannedState(names, options, subnetNumber);
    for (const directory of [names.runDir, names.cacheDir, names.dockerConfigDir])
      mkdirSync(directory, { recursive: true });
    rmSync(names.logDir, { recursive: true, force: true });
    writeState(names, state);
    claimNamespaceDir();
    await createFleetNetwork(names, subnetNumber);
    writeFileSync(subnetFile(names), `${subnetNumber}\n`);
    return state;
  });
}

function plannedState(names: FleetNames, options: FleetOptions, subnetNumber: number): FleetState {
  const nodes = Array.from({ length: options.nodes }, (_, at): NodeRecord => {
    const role = at < options.managers ? "manager" : "worker";
    return {
      name: `node-${at + 1}`,
      index: at + 1,
      address: nodeAddress(subnetNumber, at + 1),
      role,
      state: "planned",
      isCut: false,
    };
  });
  const scopes = nodes.map(node => nodeNames(names, node.name).scope);
  return {
    version: 1,
    name: names.fleet,
    bootId: bootId(),
    phase: "starting",
    subnetNumber,
    cacheDir: names.cacheDir,
    nodes,
    owned: {
      namespaces: [names.networkNamespace, ...scopes],
      hostLink: names.hostLink,
      cgroups: [registryScope(names), ...scopes],
    },
  };
}

// A fleet keeps its subnet over runs where it can: its images' names hold the registry's address.
function formerSubnetNumber(names: FleetNames): number | undefined {
  return existsSync(subnetFile(names)) ? Number.parseInt(readFileSync(subnetFile(names), "utf8"), 10) : undefined;
}

function subnetFile(names: FleetNames): string {
  return join(names.cacheDir, "subnet");
}
