import { describe, expect, it, test } from "vitest";
import { takeAssignment, type Fences } from "./intake.ts";
import { anAssignedInstance as anInstance, anAssignment } from "../testing/builders.ts";

const held: Fences = {
  assignment: anAssignment({ term: 3, revision: 7 }),
  epochs: { "acme.web.1": 5 },
};

test.each([
  ["another node's", { nodeId: "node-2", term: 9 }, "refused"],
  ["a lower term's", { term: 2, revision: 99 }, "refused"],
  ["a lower revision", { term: 3, revision: 6 }, "refused"],
  ["the same revision", { term: 3, revision: 7 }, "current"],
  ["a higher revision", { term: 3, revision: 8 }, "accepted"],
  ["a higher term", { term: 4, revision: 7 }, "accepted"],
  ["a higher term, and a lower revision: an older copy of the records has it,", { term: 4, revision: 6 }, "refused"],
] as const)("an assignment of %s is taken as it should be", (_, over, kind) => {
  expect(takeAssignment(held, anAssignment(over), "node-1").kind).toBe(kind);
});

test("a copy of a lower epoch is never run again, but may be told to stop", () => {
  const run = anInstance({ epoch: 4 });
  const next = anAssignment({ term: 4, revision: 8, instances: [run] });
  expect(takeAssignment(held, next, "node-1")).toMatchObject({
    fences: { assignment: { instances: [] }, epochs: { "acme.web.1": 5 } },
    fenced: ["acme.web.1 at epoch 4"],
  });
  const stop = { ...run, desired: "stop" as const };
  expect(takeAssignment(held, { ...next, instances: [stop] }, "node-1")).toMatchObject({
    fences: { assignment: { instances: [stop] } },
    fenced: [],
  });
});

test("an old copy to stop beside a new one to run does not lower the fence", () => {
  const instances = [anInstance({ epoch: 6 }), anInstance({ epoch: 5, desired: "stop" })];
  expect(takeAssignment(held, anAssignment({ term: 4, revision: 8, instances }), "node-1")).toMatchObject({
    fences: { epochs: { "acme.web.1": 6 }, assignment: { instances } },
  });
});

test("the fence does not grow without bound, and keeps what is in use", () => {
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`old.web.${at}`, 1]));
  const taken = takeAssignment(
    { assignment: undefined, epochs: many },
    anAssignment({ instances: [anInstance({ epoch: 2 })] }),
    "node-1",
  );
  if (taken.kind !== "accepted") throw new Error("it must be accepted");
  expect(Object.keys(taken.fences.epochs)).toHaveLength(10_000);
  expect(taken.fences.epochs["acme.web.1"]).toBe(2);
});

const other = (over: Parameters<typeof anAssignment>[0] = {}) =>
  anAssignment({ incarnation: "inc-2", term: 1, revision: 1, ...over });

test("an assignment from other records is refused, whatever its term, until they are said to replace ours", () => {
  expect(takeAssignment(held, other({ term: 99, revision: 99 }), "node-1")).toMatchObject({ kind: "refused" });
  expect(takeAssignment(held, other({ succeeds: ["inc-0"] }), "node-1")).toMatchObject({ kind: "refused" });
  const empty = { assignment: undefined, epochs: {} };
  expect(takeAssignment(empty, other(), "node-1").kind).toBe("accepted");
});

test("with the successor's first assignment terms, revisions and epochs begin anew, and there is no way back", () => {
  const instances = [anInstance({ epoch: 1 })];
  const taken = takeAssignment(held, other({ succeeds: ["inc-1"], instances }), "node-1");
  expect(taken).toMatchObject({ kind: "accepted", fenced: [], fences: { epochs: { "acme.web.1": 1 } } });
  if (taken.kind !== "accepted") return;
  const late = anAssignment({ term: 99, revision: 99 });
  expect(takeAssignment(taken.fences, late, "node-1")).toMatchObject({
    kind: "refused",
    because: expect.stringContaining("has replaced") as string,
  });
  const again = other({ succeeds: ["inc-1"], instances });
  expect(takeAssignment(taken.fences, again, "node-1").kind).toBe("current");
});

describe("records that went another way than those of what the node holds", () => {
  const stamped: Fences = { assignment: anAssignment({ term: 3, revision: 7, stamps: [6, 7] }), epochs: {} };
  it.each([
    ["which gave the revision of the node", { revision: 9, stamps: [6, 7, 8, 9] }, "accepted"],
    ["which gave the number to another one, and counted past it", { revision: 9, stamps: [6, 70, 80, 90] }, "refused"],
    ["which counted up to the same number", { revision: 7, stamps: [6, 70] }, "refused"],
    ["under the same leader, who gave the same", { revision: 7, stamps: [6, 7] }, "current"],
    ["which no longer know the revision's stamp", { revision: 90, stamps: [89, 90] }, "accepted"],
    ["whose sender knows no stamps", { revision: 8, stamps: [] }, "accepted"],
    [
      "which a person confirmed",
      { ...other({ succeeds: ["inc-1"] }), revision: 9, stamps: [6, 70, 80, 90] },
      "accepted",
    ],
  ] as const)("are told by stamps: %s", (_, over, kind) => {
    for (const term of kind === "current" ? [3] : [3, 4])
      expect(takeAssignment(stamped, anAssignment({ ...over, term }), "node-1").kind).toBe(kind);
  });

  it("say nothing of a node that holds no stamp", () => {
    expect(takeAssignment(held, anAssignment({ term: 3, revision: 8, stamps: [70, 80] }), "node-1").kind).toBe(
      "accepted",
    );
  });
});
