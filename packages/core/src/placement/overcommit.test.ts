import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decide } from "../decide/decide.ts";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import { aContainer, aDeployment, aRelease, aSpec, aWorld, someNodes } from "../testing/builders.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import { explainPlacement, previewPlacement } from "./explain.ts";

const GIB = 2 ** 30;

function specOf(memoryBytes: number, reserveMemoryBytes = 0, replicas = 1) {
  const resources = { ...DEFAULT_RESOURCES, memoryBytes, reserveMemoryBytes };
  return aSpec({ replicas, containers: [aContainer({ resources })] });
}

test("what counts of a node's memory is the reservation, or the limit over the ratio, whichever is more", () => {
  const mebibytes = fc.integer({ min: 1, max: 4_096 });
  fc.assert(
    fc.property(mebibytes, mebibytes, fc.integer({ min: 1, max: 20 }), (limitMiB, reserveMiB, ratio) => {
      const [limit, reserve] = [Math.max(limitMiB, reserveMiB) * 2 ** 20, reserveMiB * 2 ** 20];
      const world = aWorld({ nodes: someNodes(3, () => ({ capacity: { memoryBytes: GIB, instances: 10_000 } })) });
      const proposal = { tenantId: "acme", spec: specOf(limit, reserve, 400) };
      const { placed } = previewPlacement(world, proposal, 0, { ...DEFAULT_SETTINGS, memoryOvercommit: ratio });
      const perNode = Math.floor(GIB / Math.max(reserve, Math.ceil(limit / ratio)));
      expect(placed.length).toBe(Math.min(400, 3 * perNode));
    }),
    { numRuns: 60 },
  );
});

test("ten thousand instances with a limit of a tebibyte find no node, and learn why", () => {
  const world = aWorld({ nodes: someNodes(3, () => ({ capacity: { memoryBytes: 64 * GIB } })) });
  const spec = specOf(2 ** 40, 0, 10_000);
  const { placed, refused } = previewPlacement(world, { tenantId: "acme", spec }, 0);
  expect([placed.length, refused.length]).toEqual([0, 10_000]);
  const { refusal, nodes } = explainPlacement(world, { tenantId: "acme", spec }, 0);
  expect(nodes[0]?.filter).toBe("memory");
  expect(refusal?.advice).toMatch(/lower the memory limit of 1048576 MiB, of which 1\/10 counts.*wanted 104857 MiB/);
  // A reservation is what it was: nothing is said of the limit.
  const reserved = explainPlacement(world, { tenantId: "acme", spec: specOf(200 * GIB, 200 * GIB) }, 0);
  expect(reserved.refusal?.advice).toMatch(/add memory or reserve less/);
});

test("the operator's ratio is what decisions go by", () => {
  const id = "acme.web";
  const world = aWorld({
    nodes: someNodes(1, () => ({ capacity: { memoryBytes: 4 * GIB } })),
    deployments: [aDeployment({ id, replicas: 9 })],
    releases: [aRelease({ deploymentId: id, spec: specOf(GIB, 0, 9) })],
  });
  const placedWith = (memoryOvercommit: number): number =>
    decide(world, { ...DEFAULT_SETTINGS, memoryOvercommit }, 0).changes.filter(one => one.kind === "place").length;
  expect([placedWith(1), placedWith(2), placedWith(3)]).toEqual([4, 8, 9]);
});
