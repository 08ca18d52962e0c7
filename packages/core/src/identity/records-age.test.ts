import { expect, test } from "vitest";
import { assessRecords, type Holding } from "./records-age.ts";

const held = (nodeId: string, over: Partial<Holding> = {}): Holding => ({
  ...{ nodeId, incarnation: "inc-2", term: 3, revision: 5 },
  ...over,
});
const records = {
  identity: { incarnation: "inc-2", succeeds: ["inc-1"] },
  term: 3,
  revisions: new Map([1, 2, 3, 4].map(number => [`node-${number}`, 5])),
};
const others = [held("node-2"), held("node-3"), held("node-4")];

test.each([
  ["works by what is recorded", {}, "current"],
  ["is behind", { term: 2, revision: 4 }, "current"],
  ["is behind by its term and ahead by its revision", { term: 2, revision: 6 }, "older"],
  ["holds nothing", { incarnation: "", term: 0, revision: 0 }, "current"],
  ["still holds what was replaced", { incarnation: "inc-1", term: 99, revision: 99 }, "current"],
  ["has a higher term", { term: 4, revision: 1 }, "older"],
  ["has a higher revision of this term", { revision: 6 }, "older"],
] as const)("records are of the right age where a node %s", (_, over, kind) => {
  expect(assessRecords([held("node-1", over), ...others], records).kind).toBe(kind);
});

test("a node that no row is of says nothing by its revision", () => {
  expect(assessRecords([held("node-9", { revision: 99 })], records).kind).toBe("current");
});

test("records that a third of the fleet does not know are another database's; single nodes are foreign", () => {
  const foreign = held("node-1", { incarnation: "inc-9" });
  expect(assessRecords([foreign, ...others], records)).toEqual({ kind: "current", foreign: ["node-1"] });
  expect(assessRecords([foreign, held("node-2")], records)).toMatchObject({ kind: "other" });
  expect(assessRecords([foreign], records)).toMatchObject({
    kind: "other",
    because: "node-1 works by the records inc-9, and this database is inc-2",
  });
});
