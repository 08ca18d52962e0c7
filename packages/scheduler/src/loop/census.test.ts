import type { Examination, Seen, SeenReport, Verdict } from "@skep/core/identity/strangers.ts";
import { expect, test } from "vitest";
import { createCensus, type Census } from "./census.ts";

const status = (instanceId: string): Seen => ({
  ...{ instanceId, epoch: 1, state: "running", health: "none", containers: [], ports: [], message: "" },
});

/** The node reports these strangers, which all got one verdict. */
function note(
  census: Census,
  nodeId: string,
  full: boolean,
  kind: "left" | "unproven",
  ...ids: readonly string[]
): void {
  const verdict: Verdict = { kind, because: "a test" };
  const examination: Examination = { judged: ids.map(id => ({ status: status(id), verdict })), unheard: [] };
  const strangers = ids.map(id => ({ status: status(id), release: 1 }));
  const report: SeenReport = { nodeId, full, statuses: [], gone: [], strangers };
  census.note(report, examination);
}

const idsOf = (all: Iterable<{ readonly instanceId: string }>): string[] => [...all].map(one => one.instanceId);

test("all that was found is left alone until every node is known, so that no new instance gets its name", () => {
  const census = createCensus();
  note(census, "node-1", true, "unproven", "acme.web.1");
  note(census, "node-3", true, "left", "acme.web.2", "acme.web.3");
  const before = census.decide(["node-1", "node-2", "node-3"]);
  expect([idsOf(before.remove), [...before.held], before.fleet]).toEqual([[], [], false]);
  expect(idsOf(before.orphans.get("node-1") ?? [])).toEqual(["acme.web.1"]);
  expect(before.orphans.get("node-3")).toHaveLength(2);
  note(census, "node-2", true, "unproven");
  const after = census.decide(["node-1", "node-2", "node-3"]);
  expect(idsOf(after.remove)).toEqual(["acme.web.1"]);
  expect([after.orphans.get("node-1"), after.orphans.get("node-3")?.length]).toEqual([[], 2]);
});

test("nothing is braked before every node is known", () => {
  const census = createCensus();
  note(census, "node-1", true, "unproven", ...[1, 2, 3, 4].map(number => `acme.web.${number}`));
  const before = census.decide(["node-1", "node-2"]);
  expect([[...before.held], before.fleet]).toEqual([[], false]);
  note(census, "node-2", true, "unproven");
  const after = census.decide(["node-1", "node-2"]);
  expect([[...after.held], after.fleet, after.orphans.get("node-1")?.length]).toEqual([[["node-1", 4]], true, 4]);
});

test("what is left alone counts for the brake: the records may learn of the rest later", () => {
  const census = createCensus();
  note(census, "node-1", true, "left", "acme.web.1", "acme.web.2", "acme.web.3");
  note(census, "node-2", true, "unproven", "acme.api.1");
  const { remove, held, orphans } = census.decide(["node-1", "node-2"]);
  expect([remove, [...held]]).toEqual([[], [["node-2", 1]]]);
  expect(idsOf(orphans.get("node-2") ?? [])).toEqual(["acme.api.1"]);
});

test("what a part shows of a node does not take the place of what was left alone there", () => {
  const census = createCensus();
  note(census, "node-1", false, "left", "acme.web.1");
  for (const present of [[], ["node-1"]]) expect(census.decide(present).orphans.has("node-1")).toBe(false);
});
