import { aNode, aWorld } from "@skep/core/testing/builders.ts";
import { expect, test } from "vitest";
import { createRig } from "../testing/rig.ts";
import { createAssignments } from "./assignments.ts";
import type { Removals } from "./removals.ts";

test("Nobody is told anything while it is not known what is to be removed", async () => {
  const rig = createRig();
  const ports = rig.ports("s1");
  const lease = await ports.store.takeLease("s1", 60_000);
  let isRead = false;
  const removals: Removals = {
    ...{ load: async () => undefined, add: async () => [], done: () => undefined },
    ...{ of: () => [], isRead: () => isRead },
  };
  const assignments = createAssignments(ports, lease, removals, () => undefined);
  const world = aWorld({ nodes: [aNode({ id: "node-1" })] });
  expect([assignments.tell(world), assignments.told("node-1")]).toEqual([0, undefined]);
  isRead = true;
  expect(assignments.tell(world)).toBe(1);
});
