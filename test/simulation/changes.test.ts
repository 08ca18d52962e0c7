import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { emptyRecords } from "@skep/scheduler/store/memory-records.ts";
import { createMemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import { someFacts } from "@skep/scheduler/store/testing/records.ts";
import { expect, test } from "vitest";
import { Changes } from "./changes.ts";

test("Rows that a statement wrote, be it late, a restore brought or somebody took away are found once", async () => {
  const clock = createVirtualClock();
  const database = createMemoryDatabase(clock);
  const changes = new Changes(database, [], []);
  const found = (): readonly unknown[] => [changes.look()?.records, changes.look()];
  const store = database.connect("scheduler-1");
  expect(found()).toEqual([undefined, undefined]);

  await store.saveFacts(someFacts(), 0);
  expect(found()).toEqual([true, undefined]);

  database.setPolicy(() => ({ delayMs: 0, lost: "later", laterMs: 10 }));
  await expect(store.saveFacts(someFacts({ hostname: "renamed" }), 0)).rejects.toThrow();
  expect(found()).toEqual([undefined, undefined]);
  await clock.advance(20);
  expect(found()).toEqual([true, undefined]);

  const kept = emptyRecords();
  for (const [id, entry] of database.records.nodes) kept.nodes.set(id, { ...entry, node: { ...entry.node } });
  database.restore(kept);
  expect(found()).toEqual([true, undefined]);

  database.records.nodes.clear();
  expect(found()).toEqual([true, undefined]);
});
