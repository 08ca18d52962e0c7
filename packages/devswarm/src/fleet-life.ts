import { existsSync } from "node:fs";
import { answers } from "./engine-api.ts";
import { bringUp } from "./bring-up.ts";
import { withLock } from "./lock.ts";
import { fleetAddresses, fleetNames, maxNodes, nodeNames } from "./names.ts";
import type { FleetNames } from "./names.ts";
import { ensurePrograms, whyNoFleet } from "./prerequisites.ts";
import type { Fleet, FleetOptions } from "./model.ts";
import { isAlive } from "./processes.ts";
import { runRoot } from "./settings.ts";
import { readState } from "./state.ts";
import type { FleetState } from "./state.ts";
import { listSwarmNodes } from "./swarm.ts";
import { hasLeftovers, takeDown } from "./take-down.ts";

// How long one operation on a fleet waits for another one on the same fleet.
const lockTimeoutMs = 180_000;

// The fleets that this process is starting: taking one down ends its start first.
const starting = new Map<string, AbortController>();

/**
 * Starts a fleet and forms its swarm; returns at once when it is up already, as wanted and healthy.
 * Otherwise whatever is left of the fleet is removed first. Installs Debian packages where programs
 * are missing. When it fails, nothing of the fleet is left. Throws an Error that says what to do
 * when this machine cannot run a fleet.
 */
export async function upFleet(options: FleetOptions): Promise<Fleet> {
  const names = fleetNames(options.name);
  checkSize(options);
  const obstacle = whyNoFleet();
  if (obstacle !== undefined) throw new Error(`No fleet can be started here: ${obstacle}.`);
  await withLock(`${runRoot}/install.lock`, 600_000, () => ensurePrograms(text => options.onStep?.(text, 0)));
  const stop = new AbortController();
  return withLock(names.lockFile, lockTimeoutMs, async () => {
    const state = readState(names);
    if (state !== undefined && isAsWanted(state, options) && (await isHealthy(names, state)))
      return fleetFrom(names, state);
    if (hasLeftovers(names)) await takeDown(names);
    starting.set(options.name, stop);
    try {
      return fleetFrom(names, await bringUp(names, options, stop.signal));
    } catch (cause) {
      await takeDown(names);
      throw cause;
    } finally {
      starting.delete(options.name);
    }
  });
}

/**
 * The fleet of this name if one is up (some of its nodes may be killed, paused or cut), from its
 * state file.
 */
export async function openFleet(name: string): Promise<Fleet | undefined> {
  const names = fleetNames(name);
  const state = readState(names);
  if (state?.phase !== "up") return undefined;
  const isRunning = [state.registry, ...state.nodes.map(node => node.boot)].some(
    each => each !== undefined && isAlive(each),
  );
  return isRunning ? fleetFrom(names, state) : undefined;
}

/**
 * Removes a fleet from this machine: processes, namespaces, links, mounts, cgroups and runtime
 * files. Its cache stays. Does nothing when there is none. Ends a start of the same fleet that this
 * process is in.
 */
export async function downFleet(name: string): Promise<void> {
  const names = fleetNames(name);
  if (!existsSync(names.lockFile) && !hasLeftovers(names)) return;
  starting.get(name)?.abort(new Error(`The start of fleet ${name} was ended, because it is taken down.`));
  await withLock(names.lockFile, lockTimeoutMs, () => takeDown(names));
}

/**
 * Takes the fleet down when this process is asked to end (Ctrl-C, SIGTERM, SIGHUP), then exits with
 * the code that belongs to the signal. Returns a function that stops listening.
 */
export function downOnSignals(name: string): () => void {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  const listeners = Object.entries(codes).map(([signal, code]) => {
    const listener = (): void =>
      void downFleet(name).then(
        () => process.exit(code),
        () => process.exit(1),
      );
    process.once(signal, listener);
    return () => process.removeListener(signal, listener);
  });
  return () => listeners.forEach(remove => remove());
}

function checkSize({ nodes, managers }: FleetOptions): void {
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > maxNodes) {
    throw new RangeError(`A fleet has 1 to ${maxNodes} nodes, not ${nodes}.`);
  }
  if (!Number.isInteger(managers) || managers < 1 || managers > nodes) {
    throw new RangeError(`A fleet of ${nodes} nodes has 1 to ${nodes} managers, not ${managers}.`);
  }
}

function isAsWanted(state: FleetState, options: FleetOptions): boolean {
  const managers = state.nodes.filter(node => node.role === "manager").length;
  return state.phase === "up" && state.nodes.length === options.nodes && managers === options.managers;
}

async function isHealthy(names: FleetNames, state: FleetState): Promise<boolean> {
  if (state.registry === undefined || !isAlive(state.registry)) return false;
  if (state.nodes.some(node => node.state !== "running" || node.isCut)) return false;
  const sockets = state.nodes.map(node => nodeNames(names, node.name).socket);
  if (!(await Promise.all(sockets.map(answers))).every(Boolean)) return false;
  const listed = await listSwarmNodes(sockets[0] ?? "").catch(() => []);
  const ready = new Set(listed.filter(node => node.Status.State === "ready").map(node => node.ID));
  return state.nodes.every(node => node.swarmId !== undefined && ready.has(node.swarmId));
}

function fleetFrom(names: FleetNames, state: FleetState): Fleet {
  const { subnet, host, registry } = fleetAddresses(state.subnetNumber);
  const nodes = state.nodes.map(({ name, address, role, swarmId }) => {
    return { name, address, socket: nodeNames(names, name).socket, role, swarmId: swarmId ?? "" };
  });
  return { name: state.name, subnet, hostAddress: host, registry, nodes };
}
