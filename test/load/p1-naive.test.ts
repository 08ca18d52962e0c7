import { expect, test } from "vitest";
import { fleetOf } from "@skep/core/placement/fleet-of-world.ts";
import { placeBatch } from "@skep/core/placement/place.ts";
import { naivePlacements } from "./p1-naive.ts";
import { p1Requests, p1World } from "./p1-workload.ts";

test.each(["least-loaded", "resource-based"] as const)(
  "the naive reference of %s chooses what core chooses",
  strategy => {
    const world = p1World();
    const few = p1Requests(strategy, 1).slice(0, 50);
    const { placed } = placeBatch(fleetOf(world, 0), few);
    const order = new Map(few.map((request, index) => [request.instanceId, index]));
    const inOrder = placed.toSorted((a, b) => (order.get(a.instanceId) ?? 0) - (order.get(b.instanceId) ?? 0));
    expect(naivePlacements(world.nodes, few)).toEqual(inOrder.map(one => one.nodeId));
  },
);
