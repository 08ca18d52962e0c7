import type { World } from "@skep/core/world/world.ts";
import type { Strategy } from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import { needOf } from "@skep/core/placement/need.ts";
import type { Placed, PlacementRequest } from "@skep/core/placement/place.ts";
import { parseConstraint, satisfies } from "@skep/core/model/constraint.ts";
import { aContainer, aSpec, aWorld, someNodes } from "@skep/core/testing/builders.ts";

const NODES = 5_000;
const DEPLOYMENTS = 10_000;
const REPLICAS = 10;
const CONSTRAINTS = ["node.labels.compute == true", "node.labels.zone != z2", "node.role == worker"];

/**
 * 5,000 equal nodes of which rather more than half satisfy the three constraints, with room for all
 * that is asked.
 */
export function p1World(): World {
  const nodes = someNodes(NODES, index => ({
    labels: { compute: index % 5 === 0 ? "false" : "true", zone: `z${index % 3}`, disk: "ssd" },
    capacity: { cpuMillis: 64_000, memoryBytes: 256 * 2 ** 30 },
  }));
  return aWorld({ nodes });
}

/** 100,000 instances of 10,000 deployments of so many different sizes; each wants one host port. */
export function p1Requests(strategy: Strategy, sizes: number): readonly PlacementRequest[] {
  return Array.from({ length: DEPLOYMENTS }, (_, index) => {
    const reserveMemoryBytes = 2 ** 28 + (index % sizes) * 1_024;
    const resources = { ...DEFAULT_RESOURCES, reserveCpuMillis: 100, reserveMemoryBytes };
    const ports = [{ containerPort: 80, protocol: "tcp", hostPort: undefined } as const];
    const name = `d${index}`;
    const spec = aSpec({
      name,
      placement: { strategy, constraints: CONSTRAINTS },
      containers: [aContainer({ resources, ports })],
    });
    const need = needOf("acme", `acme.${name}`, spec);
    return Array.from({ length: REPLICAS }, (_each, slot) => ({
      need,
      slot,
      exclude: undefined,
      instanceId: `acme.${name}.${slot + 1}`,
    }));
  }).flat();
}

/** Instances on the fullest node over the mean of all nodes that may take them; 1 is perfect. */
export function balanceOf(world: World, placed: readonly Placed[], asked: readonly PlacementRequest[]): number {
  const constraints = CONSTRAINTS.map(text => parseConstraint(text, "")).flatMap(one =>
    one.ok ? [one.constraint] : [],
  );
  const fit = world.nodes.filter(node => constraints.every(constraint => satisfies(constraint, node))).length;
  const counts = new Map<string, number>();
  for (const { nodeId } of placed) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1);
  return Math.max(...counts.values()) / (asked.length / fit);
}
