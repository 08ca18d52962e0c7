import { aNode, aWorld } from "@skep/core/testing/builders.ts";
import { expect, test } from "vitest";
import type { Removal } from "@skep/core/model/assignment.ts";
import { createRig } from "../testing/rig.ts";
import { createAssignments } from "./assignments.ts";
import type { Removals } from "./removals.ts";

async function begin(isRead: () => boolean, of: () => readonly Removal[] = () => []) {
  const rig = createRig();
  const ports = rig.ports("s1");
  const lease = await ports.store.takeLease("s1", 60_000);
  const writes = { load: async () => undefined, add: async () => [], repeat: async () => undefined };
  const removals: Removals = { ...writes, done: () => false, has: () => false, of, isRead };
  return { rig, assignments: createAssignments(ports, lease, removals, () => undefined) };
}

const worldAt = (assignmentRevision: number) => aWorld({ nodes: [aNode({ id: "node-1", assignmentRevision })] });

test("Nobody is told anything while it is not known what is to be removed", async () => {
  let isRead = false;
  const { assignments } = await begin(() => isRead);
  expect([assignments.tell(worldAt(1)), assignments.told("node-1")]).toEqual([0, undefined]);
  isRead = true;
  expect(assignments.tell(worldAt(1))).toBe(1);
});

test("It is known of whom some removals were left out, until all have room", async () => {
  const all = Array.from({ length: 20 }, (_, at) => ({
    instanceId: `acme.web.${at}`,
    epoch: 1,
    because: "it is over",
  }));
  let removals = all;
  const { rig, assignments } = await begin(
    () => true,
    () => removals,
  );
  rig.network.setMaxPayload(32 * 1024);
  assignments.tell(worldAt(1));
  expect(assignments.leftRemovals("node-1")).toBe(true);
  removals = all.slice(0, 4);
  assignments.tell(worldAt(2));
  expect(assignments.leftRemovals("node-1")).toBe(false);
});
