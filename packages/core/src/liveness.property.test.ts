import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { aNode, someNodes } from "./testing/builders.ts";
import { assessNodes } from "./liveness.ts";
import type { NodeObservation } from "./liveness.ts";
import type { Liveness } from "./model/node.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const SETTINGS = { suspectAfterMs: 3_000, downAfterMs: 6_000 };
const NOW = 100_000;

function seen(over: Partial<NodeObservation> = {}): NodeObservation {
  const beats = { lastBeatAt: NOW, beatBeforeAt: NOW - 1_000 };
  return { observingSinceAt: 0, ...beats, probe: "unknown", probedAt: undefined, ...over };
}

const DEAD = seen({ lastBeatAt: NOW - 10_000, beatBeforeAt: NOW - 11_000, probe: "silent", probedAt: NOW - 1_000 });

function judge(observation: NodeObservation | undefined, before: Liveness = "ready"): Liveness | undefined {
  const nodes = someNodes(5, index => (index === 0 ? { liveness: before } : {}));
  const observations = new Map(nodes.map(node => [node.id, seen()]));
  if (observation === undefined) observations.delete("node-1");
  else observations.set("node-1", observation);
  return assessNodes(nodes, observations, SETTINGS, NOW).liveness.get("node-1");
}

test("a node that beats is ready, whatever it was before", () => {
  expect(judge(seen(), "down")).toBe("ready");
  expect(judge(seen({ lastBeatAt: NOW - 2_999 }))).toBe("ready");
});

test("a silent node is suspect, and down only when peers cannot reach it either", () => {
  expect(judge(seen({ lastBeatAt: NOW - 3_000 }))).toBe("suspect");
  expect(judge(seen({ lastBeatAt: NOW - 60_000 }))).toBe("suspect");
  expect(judge(seen({ lastBeatAt: NOW - 60_000, probe: "answered", probedAt: NOW }))).toBe("suspect");
  expect(judge(DEAD)).toBe("down");
});

test("a probe from before the silence proves nothing", () => {
  expect(judge({ ...DEAD, probedAt: NOW - 11_000 })).toBe("suspect");
});

test("an observer that has just begun knows nothing, and inherits nobody's silence", () => {
  expect(judge(undefined)).toBe("unknown");
  expect(judge(seen({ observingSinceAt: NOW - 1_000, lastBeatAt: undefined }))).toBe("unknown");
  expect(
    judge(seen({ observingSinceAt: NOW - 1_000, lastBeatAt: NOW - 90_000, probe: "silent", probedAt: NOW })),
  ).not.toBe("down");
});

test("who is down stays down until two new beats were heard lately: one may be late", () => {
  const since = NOW - 2_000;
  const heard = (beatBeforeAt: number | undefined, lastBeatAt: number | undefined): Liveness | undefined =>
    judge(seen({ observingSinceAt: since, lastBeatAt, beatBeforeAt }), "down");
  expect(heard(undefined, undefined)).toBe("down");
  expect(judge({ ...DEAD, probe: "answered", probedAt: NOW }, "down")).toBe("down");
  expect(heard(undefined, NOW - 90_000)).toBe("down");
  expect(heard(undefined, NOW - 500)).toBe("down");
  expect(heard(since - 1, NOW - 500)).toBe("down");
  expect(heard(since, NOW - 500)).toBe("ready");
  expect(judge(seen({ lastBeatAt: NOW, beatBeforeAt: NOW - 3_000 }), "down")).toBe("down");
  expect(judge(seen({ lastBeatAt: NOW, beatBeforeAt: NOW - 2_999 }), "down")).toBe("ready");
});

test("two of three nodes silent at once freeze the verdicts, and the sentence names them", () => {
  const nodes = someNodes(3);
  const observations = new Map([
    ["node-1", DEAD],
    ["node-2", DEAD],
    ["node-3", seen()],
  ]);
  const { liveness, frozen, because } = assessNodes(nodes, observations, SETTINGS, NOW);
  expect([frozen, liveness.get("node-1"), liveness.get("node-2")]).toEqual([true, "suspect", "suspect"]);
  expect(because).toContain("2 of 3 nodes are silent at once (node-1, node-2)");
});

test("one of three, or two of seven, is an ordinary loss", () => {
  const three = assessNodes(
    someNodes(3),
    new Map([
      ["node-1", DEAD],
      ["node-2", seen()],
      ["node-3", seen()],
    ]),
    SETTINGS,
    NOW,
  );
  expect([three.frozen, three.liveness.get("node-1")]).toEqual([false, "down"]);
  const nodes = someNodes(7);
  const seven = assessNodes(
    nodes,
    new Map(nodes.map((node, index) => [node.id, index < 2 ? DEAD : seen()])),
    SETTINGS,
    NOW,
  );
  expect([seven.frozen, seven.liveness.get("node-2")]).toEqual([false, "down"]);
});

test("nodes that were drained and have nothing to run alarm nobody when they leave", () => {
  const nodes = someNodes(3, index => (index < 2 ? { availability: "drain" } : {}));
  const gone = { ...DEAD, assigned: 0 };
  const observations = new Map([
    ["node-1", gone],
    ["node-2", gone],
    ["node-3", seen()],
  ]);
  const { frozen, liveness } = assessNodes(nodes, observations, SETTINGS, NOW);
  expect([frozen, liveness.get("node-1")]).toEqual([false, "down"]);
});

test("it says when the next silence passes a bound", () => {
  const { wakeAt } = assessNodes([aNode()], new Map([["node-1", seen({ lastBeatAt: NOW - 1_000 })]]), SETTINGS, NOW);
  expect(wakeAt).toBe(NOW + 2_000);
});

test("no node becomes down before its time on this observer's clock, nor while verdicts are frozen", () => {
  const observation = fc.record({
    observingSinceAt: fc.integer({ min: NOW - 20_000, max: NOW }),
    lastBeatAt: fc.option(fc.integer({ min: NOW - 40_000, max: NOW }), { nil: undefined }),
    beatBeforeAt: fc.option(fc.integer({ min: NOW - 40_000, max: NOW }), { nil: undefined }),
    probe: fc.constantFrom("answered", "silent", "unknown"),
    probedAt: fc.option(fc.integer({ min: NOW - 40_000, max: NOW }), { nil: undefined }),
  });
  const before = fc.constantFrom<Liveness>("unknown", "ready", "suspect", "down");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(observation, { nil: undefined }), before), { maxLength: 8 }), shapes => {
      const nodes = someNodes(shapes.length, index => ({ liveness: shapes[index]![1] }));
      const observations = new Map<string, NodeObservation>();
      nodes.forEach((node, index) => shapes[index]![0] !== undefined && observations.set(node.id, shapes[index]![0]));
      const { liveness, frozen } = assessNodes(nodes, observations, SETTINGS, NOW);
      for (const node of nodes) {
        if (liveness.get(node.id) !== "down" || node.liveness === "down") continue;
        const one = observations.get(node.id)!;
        expect(frozen).toBe(false);
        expect(one.probe).toBe("silent");
        expect(NOW - Math.max(one.observingSinceAt, one.lastBeatAt ?? 0)).toBeGreaterThanOrEqual(SETTINGS.downAfterMs);
      }
    }),
    { numRuns: 800 },
  );
});
