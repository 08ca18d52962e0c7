import { isControlPlane } from "@skep/core/model/node.ts";
import type { Node } from "@skep/core/model/node.ts";
import { satisfies } from "@skep/core/model/constraint.ts";
import type { PlacementRequest } from "@skep/core/placement/place.ts";

interface Candidate {
  readonly node: Node;
  cpuUsed: number;
  memoryUsed: number;
  instances: number;
}

/**
 * What one would write first: for each request filter all nodes, sort what is left by the
 * strategy's score, take the best. It answers the same question as core, without ports, quotas and
 * reasons; its constraints come parsed, and the control plane is avoided as by default.
 */
export function naivePlacements(nodes: readonly Node[], requests: readonly PlacementRequest[]): readonly string[] {
  const candidates: Candidate[] = nodes.map(node => ({ node, cpuUsed: 0, memoryUsed: 0, instances: 0 }));
  return requests.map(({ need, instanceId }) => {
    const score = need.strategy === "least-loaded" ? load : leftover;
    const [best] = candidates
      .filter(
        one =>
          one.node.availability === "active" &&
          one.node.liveness === "ready" &&
          need.constraints.every(constraint => satisfies(constraint, one.node)) &&
          one.cpuUsed + need.cpuMillis <= one.node.capacity.cpuMillis &&
          one.memoryUsed + need.memoryBytes <= one.node.capacity.memoryBytes &&
          one.instances < one.node.capacity.instances,
      )
      .sort(
        (a, b) =>
          Number(isControlPlane(a.node)) - Number(isControlPlane(b.node)) ||
          score(a) - score(b) ||
          a.instances - b.instances ||
          (a.node.id < b.node.id ? -1 : 1),
      );
    if (best === undefined) throw new Error(`the naive reference finds no node for ${instanceId}`);
    best.cpuUsed += need.cpuMillis;
    best.memoryUsed += need.memoryBytes;
    best.instances += 1;
    return best.node.id;
  });
}

function load({ node, cpuUsed, memoryUsed }: Candidate): number {
  return Math.max(cpuUsed / node.capacity.cpuMillis, memoryUsed / node.capacity.memoryBytes);
}

function leftover(one: Candidate): number {
  const { cpuMillis, memoryBytes } = one.node.capacity;
  return 1 - (one.cpuUsed / cpuMillis + one.memoryUsed / memoryBytes) / 2;
}
