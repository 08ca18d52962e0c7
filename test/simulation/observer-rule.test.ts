import { expect, test } from "vitest";
import { aNode } from "@skep/core/testing/builders.ts";
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
