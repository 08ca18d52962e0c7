import { expect, test } from "vitest";
import type { HealthCheck } from "../model/deployment.ts";
import type { ObservedContainer } from "../model/observed.ts";
import { aContainer, aSpec } from "../testing/builders.ts";
import { ToyNode } from "../testing/toy-node.ts";

const NO_TIMES = { intervalMs: 0, timeoutMs: 0, retries: 0, startPeriodMs: 0 };
const OF_IMAGE: HealthCheck = { probe: { kind: "image" }, ...NO_TIMES, intervalMs: 1_000 };
const SWITCHED_OFF: HealthCheck = { probe: { kind: "docker", test: ["NONE"] }, ...NO_TIMES };

function running(health: HealthCheck | undefined, engineHealth: ObservedContainer["engineHealth"]) {
  const node = new ToyNode(aSpec({ containers: [aContainer({ health })] }));
  const before = node.look().statuses[0]?.health;
  node.settle();
  node.edit("app", { engineHealth });
  return { before, ...node.look() };
}

test.each([undefined, OF_IMAGE])("what an image's own check says counts (%#)", health => {
  for (const word of ["starting", "healthy"] as const)
    expect(running(health, word).statuses).toMatchObject([{ state: "running", health: word, message: "" }]);
  const { steps, statuses } = running(health, "unhealthy");
  expect(statuses).toMatchObject([{ state: "running", health: "unhealthy" }]);
  expect(steps).toMatchObject([{ kind: "stop-container" }]);
});

test("times for a check that the image does not have are said, and the container runs without one", () => {
  expect(running(OF_IMAGE, "none").statuses).toMatchObject([
    { state: "running", health: "none", message: expect.stringContaining("app:1 has no health check of its own") },
  ]);
  expect(running(undefined, "none").statuses).toMatchObject([{ health: "none", message: "" }]);
});

test("a check that is switched off is not waited for", () => {
  expect(running(SWITCHED_OFF, "none")).toMatchObject({
    before: "none",
    statuses: [{ state: "running", health: "none", message: "" }],
  });
});

test("what is asked some day is not well before it runs", () => {
  expect([OF_IMAGE, undefined].map(health => running(health, "none").before)).toEqual(["starting", "none"]);
});
