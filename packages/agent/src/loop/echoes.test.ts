import { createVirtualClock } from "@skep/kit/virtual-clock.ts";
import type { Step } from "@skep/core/converge/step.ts";
import { expect, test } from "vitest";
import { createEchoes } from "./echoes.ts";
import type { EngineEvent } from "../engine/engine.ts";
import { aContainer, anInstance } from "../testing/builders.ts";

const START: Step = {
  kind: "start-container",
  key: "start:c1",
  containerId: "c1",
  instanceId: "acme.web.1",
  epoch: 1,
  container: "app",
  because: "it is wanted",
};
const CREATE: Step = {
  kind: "create-container",
  key: "create:acme.web.1@1/app",
  instance: anInstance(),
  container: aContainer(),
  specHash: "h1",
  sandboxId: undefined,
};

function event(action: string, containerId = "c1"): EngineEvent {
  return { kind: "container", action, containerId, instanceId: "acme.web.1" };
}

test.each([
  ["start", START],
  ["create", CREATE],
])("the event of our own %s is an echo once, whether it comes before the answer or after it", (action, step) => {
  const clock = createVirtualClock(0);
  const echoes = createEchoes(clock);
  expect(echoes.isEcho(event(action))).toBe(false);
  echoes.begin(step);
  expect(echoes.isEcho(event(action))).toBe(true);
  expect(echoes.isEcho(event(action))).toBe(false);
  echoes.begin(step);
  echoes.end(step, true);
  expect(echoes.isEcho(event(action))).toBe(true);
  expect(echoes.isEcho(event(action))).toBe(false);
});

test("what happens to another container, or ends this one, is news", () => {
  const echoes = createEchoes(createVirtualClock(0));
  echoes.begin(START);
  expect(["die", "create", "destroy", "oom"].filter(action => echoes.isEcho(event(action)))).toEqual([]);
  expect(echoes.isEcho(event("start", "c2"))).toBe(false);
  expect(echoes.isEcho(event("start"))).toBe(true);
});

test("a start that failed, or ended a while ago, has no echo", async () => {
  const clock = createVirtualClock(0);
  const echoes = createEchoes(clock);
  echoes.begin(START);
  echoes.end(START, false);
  expect(echoes.isEcho(event("start"))).toBe(false);
  echoes.begin(START);
  echoes.end(START, true);
  await clock.advance(1_001);
  expect(echoes.isEcho(event("start"))).toBe(false);
});

test("each container that is made for one instance has an echo of its own", () => {
  const echoes = createEchoes(createVirtualClock(0));
  echoes.begin(CREATE);
  echoes.begin({ ...CREATE, key: "create:acme.web.1@1/side" });
  expect([1, 2, 3].map(() => echoes.isEcho(event("create")))).toEqual([true, true, false]);
});
