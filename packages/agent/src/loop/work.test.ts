import { stepKey, type Step } from "@skep/core/converge/step.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Executors } from "./executors.ts";
import { aContainer, anInstance } from "../testing/builders.ts";
import { createWork } from "./work.ts";

const create: Step = {
  kind: "create-container",
  key: stepKey.create("acme.web.1", 1, "app"),
  instance: anInstance(),
  container: aContainer(),
  specHash: "h",
  sandboxId: undefined,
};
const start = (containerId: string, container: string): Step => {
  const on = { containerId, instanceId: "acme.web.1", epoch: 1, container, because: "it is wanted" };
  return { kind: "start-container", key: stepKey.start(containerId), ...on };
};

test("a container that is listed while it is still being made is started when that has ended, and no other waits", async () => {
  const done: string[] = [];
  const made = Promise.withResolvers<void>();
  const executors = {
    "create-container": () => made.promise,
    "start-container": async (step: { containerId: string }) => void done.push(step.containerId),
  } as unknown as Executors;
  const ended: string[] = [];
  const log = createRecordingLog();
  const onEnd = (step: Step): void => void ended.push(step.key);
  const work = createWork({ executors, clock: createVirtualClock(0), log, onEnd });
  work.begin(create);
  work.begin(start("c1", "app"));
  work.begin(start("c2", "sidecar"));
  await turn();
  expect(done).toEqual(["c2"]);
  expect(work.busyKeys(work.mark()).inFlight).toEqual([create.key, "start:c1"]);
  made.resolve();
  await turn();
  expect(done).toEqual(["c2", "c1"]);
  expect(ended).toEqual(["start:c2", create.key, "start:c1"]);
  expect(work.running()).toBe(0);
});
