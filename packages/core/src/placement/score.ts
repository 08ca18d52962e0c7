import type { Strategy } from "../model/deployment.ts";
import { stayingOn } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import type { Need } from "./need.ts";
import { counted, percent, shared } from "./words.ts";

/** How nodes that fit are ranked: lower first wins, then lower second, then the lower node id. */
export interface Score {
  readonly first: (fleet: Fleet, index: number, need: Need) => number;
  readonly second: (fleet: Fleet, index: number, need: Need) => number;
  /** Whether a node without a copy of the deployment goes before all that have one. */
  readonly isApart: boolean;
  /** What the scores of the node mean, for people. */
  readonly sentence: (fleet: Fleet, index: number, need: Need) => string;
}

const count = (fleet: Fleet, index: number): number => fleet.count[index]!;

/** A part of a whole; a node without any counts as full. */
function share(part: number, whole: number): number {
  return whole > 0 ? part / whole : 1;
}

/**
 * Measured load plus what was placed since it was measured, of whichever of cpu and memory is
 * scarcer.
 */
function loadOf(fleet: Fleet, index: number): number {
  const cpu = fleet.cpuMeasured[index]! + share(fleet.cpuSince[index]!, fleet.cpuCapacity[index]!);
  const memory = fleet.memoryMeasured[index]! + share(fleet.memorySince[index]!, fleet.memoryCapacity[index]!);
  return cpu > memory ? cpu : memory;
}

/**
 * What would be left of the node's cpu and memory with the need on it, as a mean of shares: the
 * least is the best fit.
 */
function leftover(fleet: Fleet, index: number, need: Need): number {
  const cpu = 1 - share(fleet.cpuUsed[index]! + need.cpuMillis, fleet.cpuCapacity[index]!);
  const memory = 1 - share(fleet.memoryUsed[index]! + need.memoryBytes, fleet.memoryCapacity[index]!);
  return (cpu + memory) / 2;
}

const leastLoaded = shared((load, instances) => `least loaded (${load} %, ${counted(instances, "instance")})`);
const bestFit = shared(left => `best fit (leaves ${left} % unreserved)`);
const fewest = shared((own, all) => `fewest of this deployment (${own} of ${counted(all, "instance")})`);

/** One way to rank nodes per strategy. */
export const SCORES: Readonly<Record<Strategy, Score>> = {
  "least-loaded": {
    first: loadOf,
    second: count,
    isApart: true,
    sentence: (fleet, index) => leastLoaded(percent(loadOf(fleet, index)), count(fleet, index)),
  },
  "round-robin": {
    first: (fleet, index) => fleet.lastPlaced[index]!,
    second: () => 0,
    isApart: false,
    sentence: (fleet, index) =>
      fleet.lastPlaced[index] === 0
        ? "next in turn (never had one)"
        : `next in turn (last placement ${fleet.lastPlaced[index]})`,
  },
  "resource-based": {
    first: leftover,
    second: count,
    isApart: false,
    sentence: (fleet, index, need) => bestFit(percent(leftover(fleet, index, need)), 0),
  },
  spread: {
    first: (fleet, index, need) => stayingOn(fleet, need.deploymentId, index),
    second: count,
    isApart: false,
    sentence: (fleet, index, need) => fewest(stayingOn(fleet, need.deploymentId, index), count(fleet, index)),
  },
};
