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

test("After a write whose end is not known they are not known either, until they are read again", async () => {
  let recorded: NodeRemoval[] = [];
  const removals = createRemovals(
    {
      loadRemovals: async () => recorded,
      saveRemovals: async given => {
        recorded = [...given];
        throw new Error("the answer is lost");
      },
    },
    { term: 1, holder: "scheduler-1" },
  );
  expect(removals.isRead()).toBe(false);
  await removals.load();
  expect(removals.isRead()).toBe(true);
  await expect(removals.add([one], 0)).rejects.toThrow("lost");
  expect(removals.isRead()).toBe(false);
  await removals.load();
  expect(removals.isRead()).toBe(true);
  expect(removals.of("node-1")).toEqual([one]);
});

test("After a repeated write whose end is not known they are read again", async () => {
  const removals = createRemovals(
    { loadRemovals: async () => [one], saveRemovals: () => Promise.reject(new Error("away")) },
    { term: 1, holder: "scheduler-1" },
  );
  await removals.load();
  await expect(removals.repeat([one], 0)).rejects.toThrow("away");
  expect(removals.isRead()).toBe(false);
});

test("What is written while all are read again stays", async () => {
  const other = { ...one, instanceId: "acme.web.2" };
  let written = (): void => undefined;
  const removals = createRemovals(
    {
      loadRemovals: async () => [],
      saveRemovals: given =>
        given.includes(one)
          ? Promise.reject(new Error("away"))
          : new Promise(resolve => (written = () => resolve({ kind: "committed", revisions: new Map() }))),
    },
    { term: 1, holder: "scheduler-1" },
  );
  await removals.load();
  const adding = removals.add([other], 0);
  await expect(removals.add([one], 0)).rejects.toThrow("away");
  await removals.load();
  written();
  await adding;
  expect(removals.of("node-1")).toEqual([other]);
});
