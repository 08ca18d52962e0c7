import type { Ask, Filter } from "./ask.ts";
import { satisfies, shortfall } from "../model/constraint.ts";
import type { Constraint } from "../model/constraint.ts";
import { SPEC_BUDGET_BYTES } from "../model/assignment.ts";
import { deployedOn, holdsSpec, homesOf, isWithinQuota, nearOf, nodeSlotsOf, satisfiedBy } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import type { DeploymentId } from "../model/deployment.ts";
import { CONTROL_LABEL, isControlPlane } from "../model/node.ts";
import type { Node } from "../model/node.ts";
import type { Need } from "./need.ts";
import { hasPorts } from "./ports.ts";
import { volumeFilters } from "./volume-filters.ts";
import { cores, kibibytes, mebibytes, verb } from "./words.ts";

const availability: Filter = {
  name: "availability",
  fixed: true,
  passes: (fleet, index) => fleet.nodes[index]!.availability === "active",
  sentence: count => `${verb(count, "takes", "take")} no new work (drained or paused)`,
  advice: (_, fleet) => `make a node active again: ${names(fleet, node => node.availability !== "active")}`,
};

const liveness: Filter = {
  name: "liveness",
  fixed: true,
  passes: (fleet, index) => fleet.nodes[index]!.liveness === "ready",
  sentence: count => `${verb(count, "is", "are")} not ready (the agent is silent or was not heard yet)`,
  advice: (_, fleet) => `bring a silent node back: ${names(fleet, node => node.liveness !== "ready")}`,
};

const controlPlane: Filter = {
  name: "control-plane",
  fixed: true,
  passes: (fleet, index) => !isControlPlane(fleet.nodes[index]!),
  sentence: count => `${verb(count, "is a node", "are nodes")} of the control plane, where no tenant may be placed`,
  advice: (_, fleet) =>
    `add a worker, or let tenants onto such a node: skep label ${names(fleet, isControlPlane).split(",")[0]} ` +
    `${CONTROL_LABEL}=false, or SKEP_TENANTS_ON_MANAGERS=avoid for all of them`,
};

const quota: Filter = {
  name: "tenant-quota",
  fixed: false,
  passes: (fleet, _, ask) => isWithinQuota(fleet, ask.need, ask.slot),
  sentence: (count, ask) => `${verb(count, "is", "are")} out of reach: the tenant ${ask.need.tenantId} is at its quota`,
  advice: ask => `raise the quota of the tenant ${ask.need.tenantId}, or stop something else of it`,
};

const cpu: Filter = {
  name: "cpu",
  fixed: false,
  passes: (fleet, index, { need }) => fleet.cpuUsed[index]! + need.cpuMillis <= fleet.cpuCapacity[index]!,
  sentence: (count, { need }) =>
    `${verb(count, "has", "have")} less than ${cores(need.cpuMillis)} of cpu left to reserve`,
  advice: (ask, fleet) => {
    const most = largest(fleet, ask, cpu, index => fleet.nodes[index]!.capacity.cpuMillis - fleet.cpuUsed[index]!);
    return `add cpu or reserve less: the most that is free on a node is ${cores(most)}, wanted ${cores(ask.need.cpuMillis)}`;
  },
};

const memory: Filter = {
  name: "memory",
  fixed: false,
  passes: (fleet, index, { need }) => fleet.memoryUsed[index]! + need.memoryBytes <= fleet.memoryCapacity[index]!,
  sentence: (count, { need }) =>
    `${verb(count, "has", "have")} less than ${mebibytes(need.memoryBytes)} of memory left to reserve`,
  advice: (ask, fleet) => {
    const most = largest(
      fleet,
      ask,
      memory,
      index => fleet.nodes[index]!.capacity.memoryBytes - fleet.memoryUsed[index]!,
    );
    const free = `the largest free is ${mebibytes(most)}, wanted ${mebibytes(ask.need.memoryBytes)}`;
    const { limitCountsBy: by, limit } = ask.need;
    if (by === undefined) return `add memory or reserve less: ${free}`;
    return `add memory or lower the memory limit of ${mebibytes(limit.memoryBytes)}, of which 1/${by} counts: ${free}`;
  },
};

const instances: Filter = {
  name: "instances",
  fixed: false,
  passes: (fleet, index) => fleet.count[index]! < fleet.countCapacity[index]!,
  sentence: count => `${verb(count, "runs as many instances as it", "run as many instances as they")} may`,
  advice: () => "add a node, or raise the number of instances that a node may run",
};

const specBudget: Filter = {
  name: "spec-budget",
  fixed: false,
  passes: (fleet, index, { need }) =>
    holdsSpec(fleet, index, need) || fleet.specBytes[index]! + (need.largeSpec?.bytes ?? 0) <= SPEC_BUDGET_BYTES,
  sentence: (count, { need }) =>
    `${verb(count, "has", "have")} no room for another spec of ${kibibytes(need.largeSpec?.bytes ?? 0)}: ` +
    `a node holds ${mebibytes(SPEC_BUDGET_BYTES)} of large specs`,
  advice: ({ need }) =>
    `make the spec smaller than ${kibibytes(need.largeSpec?.bytes ?? 0)} (long values belong into files of the image), or add a node`,
};

const maxPerNode: Filter = {
  name: "max-per-node",
  fixed: false,
  passes: (fleet, index, { need }) =>
    need.maxPerNode === undefined || deployedOn(fleet, need.deploymentId, index) < need.maxPerNode,
  sentence: (count, { need }) =>
    `already ${verb(count, "runs", "run")} ${need.maxPerNode ?? 0} of ${need.deploymentId}, the most that one node may`,
  advice: ({ need }) => `add a node, ask for fewer replicas, or raise the most per node from ${need.maxPerNode ?? 0}`,
};

const antiAffinity: Filter = {
  name: "anti-affinity",
  fixed: false,
  passes: (fleet, index, { need }) => {
    for (const other of need.avoid) if (deployedOn(fleet, other, index) > 0) return false;
    for (const other of fleet.avoidedBy.get(need.deploymentId) ?? [])
      if (deployedOn(fleet, other, index) > 0) return false;
    return true;
  },
  sentence: (count, ask, fleet) =>
    `${verb(count, "runs", "run")} what this must not share a node with (${avoided(ask, fleet).join(", ")})`,
  advice: (ask, fleet) => `add a node, or drop the anti-affinity with ${avoided(ask, fleet).join(", ")}`,
};

const hostPort: Filter = {
  name: "host-port",
  fixed: false,
  passes: (fleet, index, { need }) =>
    hasPorts(fleet.ports[index], fleet.nodes[index]!.capacity, fleet.reservedPorts[index]!, need),
  sentence: (count, { need }) => {
    const fixed = fixedPorts(need);
    if (fixed === "") return `${verb(count, "has", "have")} no host port left`;
    return `${verb(count, "has", "have")} the host port ${fixed} taken or no other left`;
  },
  advice: ({ need }) =>
    fixedPorts(need) === ""
      ? "widen the port range of a node"
      : `let the scheduler pick the host port instead of ${fixedPorts(need)}`,
};

const ownNode: Filter = {
  name: "own-node",
  fixed: false,
  passes: (fleet, index, { slot }) => nodeSlotsOf(fleet)[index] === slot,
  sentence: count => `${verb(count, "has", "have")} a slot of ${count === 1 ? "its" : "their"} own in this deployment`,
  // The other nodes play no part: what keeps its own from it is what has to change.
  advice: (ask, fleet) => {
    const index = nodeSlotsOf(fleet).indexOf(ask.slot);
    if (index === -1) return "its node has left the Swarm";
    const others = filtersOf(ask, fleet).filter(filter => filter !== ownNode);
    return others.find(filter => !filter.passes(fleet, index, ask))?.advice(ask, fleet) ?? "";
  },
};

const excluded: Filter = {
  name: "tried",
  fixed: false,
  passes: (fleet, index, { exclude }) => fleet.nodes[index]!.id !== exclude,
  sentence: count => `did not get it running in time${count === 1 ? "" : " each"}`,
  advice: () => "look at the instance's message: it says what it waits for",
};

const volumeFiltersOf = volumeFilters((ask, fleet) => filtersOf(ask, fleet));

/**
 * The filters that can refuse this ask, in the order in which they are shown. Those that cannot
 * (nothing is reserved, no port is published) are left out, which is worth half the time of a
 * decision.
 */
export function filtersOf(ask: Ask, fleet: Fleet): readonly Filter[] {
  const { need } = ask;
  return [
    ...(need.isGlobal ? [ownNode] : []),
    ...volumeFiltersOf(fleet, need),
    availability,
    liveness,
    ...(isKeptOff(fleet, need) ? [controlPlane] : []),
    ...need.constraints.map(constraintFilter),
    quota,
    ...(need.cpuMillis > 0 ? [cpu] : []),
    ...(need.memoryBytes > 0 ? [memory] : []),
    instances,
    ...(need.largeSpec === undefined ? [] : [specBudget]),
    ...(need.maxPerNode === undefined ? [] : [maxPerNode]),
    ...(avoided(ask, fleet).length > 0 ? [antiAffinity] : []),
    ...(need.ports.length > 0 ? [hostPort] : []),
    ...(ask.exclude === undefined ? [] : [excluded]),
  ];
}

/** An instance goes to the node that has its volumes, whatever node it is. */
function isKeptOff(fleet: Fleet, need: Need): boolean {
  return fleet.tenantsOnManagers === "never" && homesOf(fleet, need).length + nearOf(fleet, need).length === 0;
}

/**
 * A filter of its own for each constraint, so that a refusal can name the one that is in the way.
 */
function constraintFilter(constraint: Constraint): Filter {
  return {
    name: `constraint ${constraint.text}`,
    fixed: true,
    passes: (fleet, index) => satisfiedBy(fleet, constraint)[index] === 1,
    sentence: count => shortfall(constraint, count),
    advice: (_, fleet) => {
      const some = fleet.nodes.find(node => !satisfies(constraint, node));
      const label = constraint.subject.kind === "label" && constraint.equal && some !== undefined;
      const or = label
        ? `, or give a node the label: skep label ${some.hostname} ${constraint.text.slice("node.labels.".length).replace(" == ", "=")}`
        : "";
      return `remove the constraint ${constraint.text}${or}`;
    },
  };
}

function avoided({ need }: Ask, fleet: Fleet): DeploymentId[] {
  return [...new Set([...need.avoid, ...(fleet.avoidedBy.get(need.deploymentId) ?? [])])].sort();
}

function fixedPorts(need: Need): string {
  return need.ports
    .filter(port => port.hostPort !== undefined)
    .map(port => `${port.hostPort}/${port.protocol}`)
    .join(", ");
}

/**
 * The most that is free on a node which every other filter lets through, or on any node when there
 * is none.
 */
function largest(fleet: Fleet, ask: Ask, of: Filter, free: (index: number) => number): number {
  const others = filtersOf(ask, fleet).filter(filter => filter !== of);
  const all = fleet.nodes.map((_, index) => index);
  const open = all.filter(index => others.every(filter => filter.passes(fleet, index, ask)));
  return Math.max(0, ...(open.length > 0 ? open : all).map(free));
}

function names(fleet: Fleet, which: (node: Node) => boolean): string {
  const found = fleet.nodes.filter(which).map(node => node.hostname);
  return found.length > 3 ? `${found.slice(0, 3).join(", ")} and ${found.length - 3} more` : found.join(", ");
}
