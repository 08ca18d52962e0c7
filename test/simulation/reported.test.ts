import { expect, test } from "vitest";
import { createLife } from "./life.ts";
import { ObserverRule } from "./observer-rule.ts";
import { createPlatform } from "./platform.ts";
import { hasReported } from "./processes.ts";
import { watchedStore } from "./watch.ts";

test("A report has landed though a former life's comes after it, and one that must be full has not", async () => {
  const platform = createPlatform(1);
  platform.mischief = { storeLate: 0 } as never;
  const life = createLife("scheduler-1", platform.clock);
  const entry = { sessionId: "new", reportedFull: false };
  platform.database.records.nodes.set("node-1", entry as never);
  let needFull = true;
  const store = { saveReport: async () => ({ needFull }) };
  const watched = watchedStore(platform, store as never, life, new ObserverRule(life));
  const save = () =>
    watched.saveReport({ nodeId: "node-1", sessionId: "new" } as Parameters<typeof watched.saveReport>[0], 0);

  await save();
  expect(hasReported(platform, "node-1", "new")).toBe(false);
  needFull = false;
  await save();
  expect(hasReported(platform, "node-1", "new")).toBe(true);
});
