import { describe, expect, it, test } from "vitest";
import { assessRecords, isUnproven, type Holding } from "./records-age.ts";

const held = (nodeId: string, over: Partial<Holding> = {}): Holding => ({
  ...{ nodeId, incarnation: "inc-2", term: 3, revision: 5, receipt: "right" },
  ...over,
});
const records = {
  identity: { incarnation: "inc-2", succeeds: ["inc-1"] },
  term: 3,
  lines: new Map([1, 2, 3, 4].map(number => [`node-${number}`, { revision: 5, stamps: [14, 15] }])),
};
const assess = (all: readonly Holding[], of = records) => assessRecords(all, of, one => one.receipt === "right");
const others = [held("node-2"), held("node-3"), held("node-4")];

test.each([
  ["works by what is recorded", {}, "current"],
  ["is behind", { term: 2, revision: 4 }, "current"],
  ["is behind by its term and ahead by its revision", { term: 2, revision: 6 }, "older"],
  ["holds nothing", { incarnation: "", term: 0, revision: 0 }, "current"],
  ["still holds what was replaced", { incarnation: "inc-1", term: 99, revision: 99 }, "current"],
  ["has a higher term", { term: 4, revision: 1 }, "older"],
  ["has a higher revision of this term", { revision: 6 }, "older"],
  ["has a revision that they gave", { revision: 4, stamp: 14 }, "current"],
  ["has a number that they gave to another one", { revision: 4, stamp: 99 }, "older"],
  ["has a revision whose stamp they no longer know", { revision: 3, stamp: 99 }, "current"],
] as const)("records are of the right age where a node %s", (_, over, kind) => {
  expect(assess([held("node-1", over), ...others]).kind).toBe(kind);
});

test("a node that no row is of says nothing by its revision", () => {
  expect(assess([held("node-9", { revision: 99 })]).kind).toBe("current");
});

test("records that a third of the fleet does not know are another database's; single nodes are foreign", () => {
  const foreign = (nodeId: string) => held(nodeId, { incarnation: "inc-9" });
  const [first, second] = [foreign("node-1"), foreign("node-2")];
  expect(assess([first, ...others])).toMatchObject({ kind: "current", foreign: ["node-1"] });
  expect(assess([first, second, held("node-3"), held("node-4")])).toMatchObject({ kind: "other" });
  const few = { ...records, lines: new Map([["node-1", { revision: 5, stamps: [] }]]) };
  expect(assess([first, held("node-2")], few)).toMatchObject({ kind: "other" });
  expect(assess([first], few)).toMatchObject({
    kind: "other",
    because: "node-1 works by the records inc-9, and this database is inc-2",
  });
});

describe("one agent alone", () => {
  const nobody = { ...records, lines: new Map() };
  const stolen = held("node-1", { incarnation: "inc-9" });
  const idle = ["node-2", "node-3"].map(id => held(id, { incarnation: "", term: 0, revision: 0 }));

  it.each([
    ["recorded, though only this one is heard", [stolen], records],
    ["heard, though only this one holds anything", [stolen, ...idle], nobody],
  ])("does not show another database where more than two nodes are %s", (_, all, of) => {
    expect(assess(all, of)).toMatchObject({ kind: "current", foreign: ["node-1"] });
  });

  it.each([{ term: 99 }, { revision: 99 }])("shows no older copy by a claim without a receipt: %o", over => {
    const claim = held("node-1", { ...over, receipt: "wrong" });
    const { receipt: _, ...without } = claim;
    for (const one of [claim, without]) {
      expect(assess([one, ...others])).toEqual({ kind: "current", foreign: [], unproven: ["node-1"] });
      expect(assess([one], nobody).kind).toBe("current");
    }
    expect(assess([claim, held("node-2", { term: 4 })])).toMatchObject({ kind: "older" });
  });
});

test("many agents that are ahead without a receipt show an older copy all the same", () => {
  const claims = ["node-1", "node-2"].map(id => held(id, { term: 4, receipt: "" }));
  expect(assess([...claims, held("node-3"), held("node-4")]).kind).toBe("older");
  const more = [5, 6, 7].map(number => held(`node-${number}`));
  expect(assess([...claims, ...others.slice(1), ...more])).toMatchObject({ unproven: ["node-1", "node-2"] });
});

test.each([
  ["is ahead without a receipt", { term: 4, receipt: "" }, true],
  ["is ahead with one", { term: 4 }, false],
  ["is not ahead", { receipt: "" }, false],
] as const)("a message is unproven where its agent %s", (_, over, is) => {
  expect(isUnproven(held("node-1", over), records, one => one.receipt === "right")).toBe(is);
});
