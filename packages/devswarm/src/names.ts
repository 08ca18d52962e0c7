import { join } from "node:path";
import { cacheRoot, runRoot } from "./settings.ts";

/**
 * Every name and path that a fleet uses, derived from its own name alone, so that leftovers can be
 * found without any file.
 */
export interface FleetNames {
  readonly fleet: string;
  /** What everything of this fleet begins with: "sk-<fleet>-". */
  readonly prefix: string;
  /** The namespace that holds the bridge and the registry. */
  readonly networkNamespace: string;
  /** The host's end of its link into the bridge; at most 15 characters, as the kernel demands. */
  readonly hostLink: string;
  readonly runDir: string;
  readonly stateFile: string;
  readonly lockFile: string;
  readonly cacheDir: string;
  readonly registryDir: string;
  readonly logDir: string;
  readonly dockerConfigDir: string;
}

/** Every name and path of one node of a fleet. */
export interface NodeNames {
  readonly node: string;
  /** The node's network namespace and its cgroup bear the same name: "sk-<fleet>-node-1". */
  readonly scope: string;
  readonly socket: string;
  readonly bootFile: string;
  readonly configFile: string;
  readonly dataDir: string;
  readonly logFile: string;
}

/**
 * Derives the names of a fleet, whose data is in `cacheDir` (by default where the settings say).
 * Throws an Error when the name could not be part of a link's name.
 */
export function fleetNames(fleet: string, cacheDir?: string): FleetNames {
  if (!/^[a-z][a-z0-9]{0,9}$/.test(fleet)) {
    throw new Error(
      `"${fleet}" cannot be the name of a fleet: use 1 to 10 characters, lower-case letters and digits, a letter first.`,
    );
  }
  const prefix = `sk-${fleet}-`;
  const runDir = join(runRoot, fleet);
  const cache = cacheDir ?? join(cacheRoot(), fleet);
  return {
    fleet,
    prefix,
    networkNamespace: `${prefix}net`,
    hostLink: `${prefix}h`,
    runDir,
    stateFile: join(runDir, "state.json"),
    lockFile: join(runRoot, `${fleet}.lock`),
    cacheDir: cache,
    registryDir: join(cache, "registry"),
    logDir: join(cache, "logs"),
    dockerConfigDir: join(runDir, "docker-client"),
  };
}

/** Derives the names of one node, such as "node-2". */
export function nodeNames(names: FleetNames, node: string): NodeNames {
  return {
    node,
    scope: `${names.prefix}${node}`,
    socket: join(names.runDir, `${node}.sock`),
    bootFile: join(names.runDir, `${node}.boot`),
    configFile: join(names.runDir, `${node}.json`),
    dataDir: join(names.cacheDir, node),
    logFile: join(names.logDir, `${node}.log`),
  };
}

/** The addresses of a fleet in its subnet 10.77.N.0/24. */
export interface FleetAddresses {
  readonly subnet: string;
  readonly bridge: string;
  readonly host: string;
  /** Where the registry listens, "10.77.N.1:5000". */
  readonly registry: string;
}

/** Derives the addresses from the subnet's number N (0 to 255). */
export function fleetAddresses(subnetNumber: number): FleetAddresses {
  const base = `10.77.${subnetNumber}`;
  return { subnet: `${base}.0/24`, bridge: `${base}.1`, host: `${base}.254`, registry: `${base}.1:5000` };
}

/** Held while a fleet chooses its subnet, and while something is touched that all fleets share. */
export const subnetsLock = join(runRoot, "subnets.lock");

/** The most nodes that fit between .11 and the host's .254. */
export const maxNodes = 200;

/** The address of the node with this index (from 1): .11, .12, ... */
export function nodeAddress(subnetNumber: number, index: number): string {
  return `10.77.${subnetNumber}.${10 + index}`;
}

/**
 * A hardware address that follows from the address, so that a node that boots again is still found
 * in others' ARP tables.
 */
export function nodeHardwareAddress(subnetNumber: number, index: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  return `02:77:00:${hex(subnetNumber)}:00:${hex(10 + index)}`;
}
