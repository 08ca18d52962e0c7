import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { FleetNames } from "./names.ts";
import { bootId } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";

/** What is on record about one node. */
export interface NodeRecord {
  readonly name: string;
  /** From 1; the address follows from it. */
  readonly index: number;
  readonly address: string;
  readonly role: "manager" | "worker";
  readonly state: "planned" | "running" | "paused" | "killed";
  /** Whether its link is down by `cut`; a node that boots again stays cut. */
  readonly isCut: boolean;
  /** The first process of the node: when it dies, all of the node dies. */
  readonly boot?: ProcessIdentity;
  readonly swarmId?: string;
}

/** What a fleet made on this machine, written before it is made, so that `down` finds all of it. */
export interface FleetState {
  readonly version: 1;
  readonly name: string;
  readonly bootId: string;
  readonly phase: "starting" | "up";
  readonly subnetNumber: number;
  readonly cacheDir: string;
  readonly nodes: readonly NodeRecord[];
  readonly registry?: ProcessIdentity;
  readonly owned: {
    readonly namespaces: readonly string[];
    readonly hostLink: string;
    readonly cgroups: readonly string[];
  };
}

/**
 * Reads a fleet's state file. Undefined when there is none, or when it is from before the machine's
 * last boot.
 */
export function readState(names: FleetNames): FleetState | undefined {
  let text: string;
  try {
    text = readFileSync(names.stateFile, "utf8");
  } catch {
    return undefined;
  }
  const state = JSON.parse(text) as FleetState;
  if (state.version !== 1) {
    throw new Error(
      `${names.stateFile} has version ${String(state.version)}, not 1: take the fleet down with the version that made it.`,
    );
  }
  return state.bootId === bootId() ? state : undefined;
}

/** Writes a fleet's state file; readers see the old or the new one, never half of it. */
export function writeState(names: FleetNames, state: FleetState): void {
  mkdirSync(dirname(names.stateFile), { recursive: true });
  const draft = `${names.stateFile}.draft`;
  writeFileSync(draft, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(draft, names.stateFile);
}

/** The same state with one node's record changed. */
export function withNode(state: FleetState, name: string, change: Partial<NodeRecord>): FleetState {
  return { ...state, nodes: state.nodes.map(node => (node.name === name ? { ...node, ...change } : node)) };
}

/** The record of a node. Throws an Error that lists the names there are. */
export function nodeRecord(state: FleetState, name: string): NodeRecord {
  const found = state.nodes.find(node => node.name === name);
  if (found !== undefined) return found;
  throw new Error(
    `Fleet ${state.name} has no node "${name}"; it has ${state.nodes.map(node => node.name).join(", ")}.`,
  );
}
