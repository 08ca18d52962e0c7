import { aDeployment, aLocation, anInstance, aRelease, aSpec, aWorld } from "@skep/core/testing/builders.ts";
import { expect, test } from "vitest";
import { brokenChangeRule } from "./change-rule.ts";

test("Of a release that bounds its copies on a node only what stood there or is of it counts", () => {
  const copy = (serial: number, release: number) =>
    aLocation({ instanceId: `acme.web.${serial}`, release, state: "assigned" });
  const releases = [aRelease({ spec: aSpec({ placement: { maxPerNode: 1 } }) }), aRelease({ number: 2 })];
  const broken = (before: readonly ReturnType<typeof copy>[], placed: readonly ReturnType<typeof copy>[]) =>
    brokenChangeRule(
      aWorld({ releases, locations: before }),
      aWorld({ releases, locations: [...before, ...placed] }),
      0,
    );
  expect(broken([], [copy(1, 1), copy(2, 2)])).toBeUndefined();
  expect(broken([copy(2, 2)], [copy(1, 1)])).toMatch(/acme.web.1@1 is placed on node-1 as copy 2 of at most 1/);
  expect(broken([], [copy(1, 1), copy(2, 1)])).toMatch(/as copy 2 of at most 1/);
});

test("What a plan ends in one slot is not under replacement while the next slot is replaced", () => {
  const spec = aSpec({ update: { ...aSpec().update, parallelism: 1 } });
  const copy = (serial: number, slot: number, release: number, over: object = {}) =>
    anInstance({ id: `acme.web.${serial}`, slot, release, ...over });
  const old = [copy(1, 0, 1), copy(2, 1, 1)];
  const parts = {
    deployments: [aDeployment({ release: 2, replicas: 2 })],
    releases: [aRelease({ spec }), aRelease({ number: 2, spec })],
  };
  const broken = (desired: "run" | "stop") =>
    brokenChangeRule(
      aWorld({ ...parts, instances: [...old, copy(3, 0, 2)] }),
      aWorld({ ...parts, instances: [...old, copy(3, 0, 2, { desired }), copy(4, 1, 2, { epoch: 0 })] }),
      0,
    );
  expect(broken("run")).toMatch(/replaces 2 at once, and its update allows 1/);
  expect(broken("stop")).toBeUndefined();
});

test("What was told to end before it failed is not retried, but moved, and need not wait", () => {
  const failed = (desired: "run" | "stop", desiredAt: number) =>
    aLocation({ instanceId: "acme.web.1", epoch: 1, state: "failed", desired, desiredAt, changedAt: 1_000 });
  const placed = aLocation({ instanceId: "acme.web.1", epoch: 2, state: "assigned" });
  const broken = (was: ReturnType<typeof failed>) =>
    brokenChangeRule(aWorld({ locations: [was] }), aWorld({ locations: [was, placed] }), 1_021);
  expect(broken(failed("run", 0))).toBe("acme.web.1@2 is placed again 21 ms after it failed");
  expect(broken(failed("stop", 1_000))).toBe("acme.web.1@2 is placed again 21 ms after it failed");
  expect(broken(failed("stop", 999))).toBeUndefined();
});
