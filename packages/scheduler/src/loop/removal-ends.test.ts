import { expect, test } from "vitest";
import type { Report } from "@skep/api/codec/report.ts";
import { someFacts } from "../store/testing/records.ts";
import { createRig } from "../testing/rig.ts";
import { createRemovalEnds } from "./removal-ends.ts";
import { createRemovals } from "./removals.ts";

const ONE = { instanceId: "acme.web.7", epoch: 1, because: "it was ended while its node was away" };
const OTHER = { ...ONE, instanceId: "acme.web.10" };

/** What a report of a node with two recorded removals does to the revision that it is told. */
async function raisedBy(says: Partial<Report>, leavesSome = false): Promise<number> {
  const rig = createRig();
  const ports = rig.ports("s1");
  const leadership = { ...(await ports.store.takeLease("s1", 600_000)), holds: () => true };
  await ports.store.saveFacts(someFacts({ nodeId: "node-1" }), 0);
  const removals = createRemovals(ports.store, leadership);
  await removals.add(
    [ONE, OTHER].map(one => ({ ...one, nodeId: "node-1" })),
    0,
  );
  const revision = async () => (await ports.store.loadWorld()).nodes[0]!.assignmentRevision;
  const before = await revision();
  let woken = 0;
  const end = createRemovalEnds(rig.clock, {
    ...{ leadership, removals, wake: () => void (woken += 1) },
    assignments: { told: () => before, leftRemovals: () => leavesSome },
  });
  const works = { appliedTerm: leadership.term, appliedRevision: before };
  const silent = { full: false, statuses: [], gone: [], strangers: [] };
  const report = { nodeId: "node-1", ...works, ...silent, ...says } as unknown as Report;
  await end(report);
  const by = (await revision()) - before;
  expect(woken).toBe(by);
  return by;
}

test("Removals that had no room in what the node was told are told once it has done one", async () => {
  expect(await raisedBy({ gone: [ONE] }, true)).toBe(1);
  expect(await raisedBy({ gone: [ONE] }, false)).toBe(0);
  expect(await raisedBy({}, true)).toBe(0);
});

test("A removal is told again to an agent that took the last message and was never told it", async () => {
  const { because: _, ...status } = ONE;
  const unexplained = { full: true, strangers: [{ status }] } as never as Partial<Report>;
  expect(await raisedBy(unexplained)).toBe(1);
  expect(await raisedBy({ ...unexplained, full: false })).toBe(0);
  expect(await raisedBy({ ...unexplained, appliedRevision: 0 })).toBe(0);
  expect(await raisedBy({ ...unexplained, appliedTerm: 0 })).toBe(0);
  expect(await raisedBy({ ...unexplained, gone: [ONE] })).toBe(0);
  expect(await raisedBy({ full: true, strangers: [{ status: { ...status, epoch: 2 } }] as never })).toBe(0);
});
