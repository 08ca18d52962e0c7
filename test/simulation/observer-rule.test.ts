import { encodeBeat } from "@skep/api/codec/beat.ts";
import { expect, test } from "vitest";
import { aLocation, aNode, aWorld } from "@skep/core/testing/builders.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { createLife } from "./life.ts";
import { ObserverRule } from "./observer-rule.ts";

test("A drained node may be silent for who saw it drained when it looked, whatever is recorded by now", async () => {
  const clock = createVirtualClock();
  const rule = new ObserverRule(createLife("scheduler-1", clock));
  const ids = [1, 2, 3, 4, 5].map(number => `node-${number}`);
  await clock.advance(7_000);
  for (const id of ids.slice(2)) rule.heard({ kind: "report", nodeId: id }, new Uint8Array(), () => true);
  const nodes = (availability: "active" | "drain") =>
    ids.map(id => aNode({ id, availability: id === "node-2" ? availability : "active" }));
  const broken = (recorded: "active" | "drain") => rule.broken("node-1", nodes(recorded), 0);

  rule.loaded({ nodes: nodes("drain") });
  expect([broken("active"), broken("drain")]).toEqual([undefined, undefined]);
  rule.loaded({ nodes: nodes("active") });
  for (const recorded of ["active", "drain"] as const)
    expect(broken(recorded)).toMatch(/while 2 of 5 nodes are silent at once/);
});

const IDS = [1, 2, 3, 4, 5].map(number => `node-${number}`);
const NODES = IDS.map(id => aNode({ id, liveness: "ready" }));

/** A scheduler that hears the nodes which `beat` names, after so long. */
function observe() {
  const clock = createVirtualClock();
  const rule = new ObserverRule(createLife("scheduler-1", clock));
  let seq = 0;
  const beat = async (afterMs: number, ...from: readonly string[]): Promise<void> => {
    await clock.advance(afterMs);
    for (const nodeId of from) rule.heard({ kind: "beat", nodeId }, aBeat(nodeId, ++seq), () => true);
  };
  return { rule, beat };
}

function aBeat(nodeId: string, seq: number): Uint8Array {
  return encodeBeat({
    ...{ nodeId, seq, bootId: "b", sessionId: "ses-1", reportSeq: 0, incarnation: "", refused: "" },
    ...{ appliedTerm: 0, appliedRevision: 0, digest: 0n, instances: 0, load: undefined, leaving: false, at: 0 },
  });
}

test.each([
  { how: "unheard since", beats: [], told: undefined },
  { how: "heard once", beats: [1_000], told: undefined },
  { how: "heard twice, far apart", beats: [1_000, 4_000], told: undefined },
  { how: "heard again", beats: [1_000, 1_000], told: /while 2 of 5 nodes are silent at once/ },
])("Who was called down and is $how counts as silent only where it is back", async ({ beats, told }) => {
  for (const by of ["itself", "the records"]) {
    const { rule, beat } = observe();
    await beat(6_500, ...IDS.slice(2));
    if (by === "itself") rule.calledDown("node-2");
    else rule.loaded({ nodes: [aNode({ id: "node-2", liveness: "down" })] });
    for (const afterMs of beats) await beat(afterMs, "node-2");
    await beat(7_000, ...IDS.slice(2));
    const broken = rule.broken("node-1", NODES, 0);
    if (told === undefined) expect(broken).toBeUndefined();
    else expect(broken).toMatch(told);
  }
});

test.each([
  { how: "one beat after a long silence", beats: [8_000], told: undefined },
  { how: "two that are far apart", beats: [8_000, 4_000], told: undefined },
  { how: "two", beats: [8_000, 1_000], told: /is given up, though scheduler-1 heard node-1 500 ms ago/ },
  { how: "one after a short silence", beats: [1_000, 4_000], told: /heard node-1 500 ms ago/ },
])("What runs on a node is given up after $how: $told", async ({ beats, told }) => {
  const { rule, beat } = observe();
  for (const afterMs of beats) await beat(afterMs, "node-1");
  await beat(500);
  const broken = rule.brokenByGivingUp(...giveUp());
  if (told === undefined) expect(broken).toBeUndefined();
  else expect(broken).toMatch(told);
});

test("A beat from before the bus was away does not bring a node back", async () => {
  const { rule, beat } = observe();
  await beat(8_000, "node-1");
  rule.listensAnew();
  await beat(1_000, "node-1");
  expect(rule.brokenByGivingUp(...giveUp())).toBeUndefined();
  await beat(1_000, "node-1");
  expect(rule.brokenByGivingUp(...giveUp())).toMatch(/is given up, though/);
});

/** A plan that gives up what runs on node-1, which is ready in the records. */
function giveUp() {
  const location = aLocation({ nodeId: "node-1" });
  const world = aWorld({ nodes: NODES, locations: [location] });
  const { instanceId, epoch } = location;
  const change = { kind: "lose", instanceId, epoch, because: "its node is down" };
  return [world, { changes: [change] } as unknown as Plan] as const;
}
