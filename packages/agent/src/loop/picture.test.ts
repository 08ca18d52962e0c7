import type { InstanceStatus } from "@skep/core/converge/status.ts";
import { expect, it } from "vitest";
import { createDigest } from "./picture.ts";

const status: InstanceStatus = {
  ...{ instanceId: "dep-1.0", epoch: 1, state: "running", health: "healthy", message: "", stranger: false },
  ...{ ports: [], containers: [{ name: "web", id: "c1", restarts: 0 }] },
} as unknown as InstanceStatus;
const other = { ...status, instanceId: "dep-1.1" };

it.each([
  ["an epoch", [{ ...status, epoch: 2 }, other]],
  ["a state", [{ ...status, state: "starting" as const }, other]],
  ["a health", [{ ...status, health: "unhealthy" as const }, other]],
  ["a container", [{ ...status, containers: [{ ...status.containers[0]!, id: "c2" }] }, other]],
  ["the number of instances", [other]],
  ["nothing", [{ ...status }, other]],
])("of a later look is as if it were the first, where %s is other", (what, later) => {
  const digestOf = createDigest();
  const before = digestOf([status, other]);
  const after = digestOf(later);
  expect(after).toEqual(createDigest()(later));
  expect(after.digest === before.digest).toBe(what === "nothing");
});
