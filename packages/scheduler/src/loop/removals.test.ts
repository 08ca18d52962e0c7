import { expect, test } from "vitest";
import type { NodeRemoval } from "../store/store.ts";
import { createRemovals } from "./removals.ts";

const one: NodeRemoval = { nodeId: "node-1", instanceId: "acme.web.1", epoch: 1, because: "it is over" };

test("What is added stays, though somebody else still reads what was recorded before", async () => {
  const answers: (() => void)[] = [];
  const removals = createRemovals(
    {
      loadRemovals: () => new Promise(resolve => answers.push(() => resolve([]))),
      saveRemovals: () => Promise.resolve({ kind: "committed", revisions: new Map() }),
    },
    { term: 1, holder: "scheduler-1" },
  );
  const reading = removals.load();
  const adding = removals.add([one], 0);
  const alsoReading = removals.load();
  answers[0]!();
  await adding;
  for (const answer of answers.slice(1)) answer();
  await Promise.all([reading, alsoReading]);
  expect(removals.of("node-1")).toEqual([one]);
});

test("A read that failed is tried again by the next", async () => {
  let fails = true;
  const removals = createRemovals(
    {
      loadRemovals: () => (fails ? Promise.reject(new Error("away")) : Promise.resolve([one])),
      saveRemovals: () => Promise.resolve({ kind: "committed", revisions: new Map() }),
    },
    { term: 1, holder: "scheduler-1" },
  );
  await expect(removals.load()).rejects.toThrow("away");
  fails = false;
  await removals.load();
  expect(removals.of("node-1")).toEqual([one]);
});
