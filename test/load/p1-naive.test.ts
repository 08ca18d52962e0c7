import { expect, test } from "vitest";
import { fleetOf } from "@skep/core/placement/fleet-of-world.ts";
import { placeBatch, type PlacementRequest } from "@skep/core/placement/place.ts";
import { naivePlacements } from "./p1-naive.ts";
import { p1Requests, p1World } from "./p1-workload.ts";

test.each(["least-loaded", "resource-based"] as const)(
  "the naive reference of %s chooses what core chooses",
  strategy => {
    const nodes = p1World().nodes.map((node, index) =>
      index % 2 === 0 ? node : { ...node, labels: { ...node.labels, "skep.control": "true" } },
    );
    // So few nodes that those of the control plane are needed as well.
    const world = { ...p1World(), nodes: nodes.slice(0, 60) };
    const few = placingOrder(p1Requests(strategy, 1).slice(0, 2_000));
    const { placed } = placeBatch(fleetOf(world, 0), few);
    expect(placed.map(one => one.instanceId)).toEqual(few.map(one => one.instanceId));
    expect(naivePlacements(world.nodes, few)).toEqual(placed.map(one => one.nodeId));
    const counts = Map.groupBy(placed, one => world.nodes.find(node => node.id === one.nodeId)?.labels["skep.control"]);
    expect([...counts.keys()]).toEqual([undefined, "true"]);
  },
);

/** Equal needs are placed by deployment and slot. */
function placingOrder(requests: readonly PlacementRequest[]): readonly PlacementRequest[] {
  return requests.toSorted((a, b) =>
    a.need.deploymentId === b.need.deploymentId ? a.slot - b.slot : a.need.deploymentId < b.need.deploymentId ? -1 : 1,
  );
}
