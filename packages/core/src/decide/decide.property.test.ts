import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { DeploymentSpec } from "../model/deployment.ts";
import type { Location } from "../model/instance.ts";
import type { Resources } from "../model/resources.ts";
import { isLive } from "../model/state.ts";
import { aWorldOfAnyKind } from "../testing/arbitrary-world.ts";
import { changesOf } from "../testing/builders.ts";
import { applyPlan } from "../world/apply.ts";
import { decide } from "./decide.ts";
import { whyStale } from "../world/stale.ts";
import { DEFAULT_SETTINGS } from "../world/world.ts";
import type { World } from "../world/world.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const NOW = 1_000_000;
const settings = fc.constantFrom(DEFAULT_SETTINGS, { ...DEFAULT_SETTINGS, edgeSettleMs: 0, keepStoppedMs: 0 });

test("deciding again on the applied plan changes nothing", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), settings, (world, chosen) => {
      const after = applyPlan(world, decide(world, chosen, NOW), NOW);
      expect(decide(after, chosen, NOW).changes).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

test("the order in which records come does not matter, and the same world gives the same plan", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const reversed: World = {
        ...world,
        tenants: [...world.tenants].reverse(),
        nodes: [...world.nodes].reverse(),
        deployments: [...world.deployments].reverse(),
        releases: [...world.releases].reverse(),
        instances: [...world.instances].reverse(),
        locations: [...world.locations].reverse(),
        volumes: [...world.volumes].reverse(),
      };
      expect(decide(reversed, DEFAULT_SETTINGS, NOW)).toEqual(decide(world, DEFAULT_SETTINGS, NOW));
    }),
    { numRuns: 500 },
  );
});

test("epochs grow by one, serials are the next, and placements are numbered on", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const { changes } = decide(world, DEFAULT_SETTINGS, NOW);
      const epochs = new Map(world.instances.map(instance => [instance.id, instance.epoch]));
      changesOf(changes, "place").forEach((change, at) => {
        expect(change.epoch).toBe((epochs.get(change.instanceId) ?? 0) + 1);
        expect(change.placement).toBe(world.placements + at + 1);
      });
      const next = new Map(world.deployments.map(deployment => [deployment.id, deployment.nextSerial]));
      for (const { instance, serial } of changesOf(changes, "create-instance")) {
        expect(serial).toBe(next.get(instance.deploymentId));
        next.set(instance.deploymentId, serial + 1);
      }
    }),
    { numRuns: 500 },
  );
});

test("nothing is placed on a node that is not active and ready, nor beyond what a node has", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const plan = decide(world, DEFAULT_SETTINGS, NOW);
      const after = applyPlan(world, plan, NOW);
      const touched = new Set(changesOf(plan.changes, "place").map(change => change.nodeId));
      for (const node of after.nodes) {
        if (!touched.has(node.id)) continue;
        expect([node.availability, node.liveness]).toEqual(["active", "ready"]);
        expectRoomOn(after, node.id, world);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a wanted instance without a node has a refusal, a time to be tried again, or an end that it was meant to have", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const after = applyPlan(world, decide(world, DEFAULT_SETTINGS, NOW), NOW);
      for (const instance of after.instances) {
        if (instance.desired !== "run") continue;
        // On its way out: it waits for the edges and is not to be placed again.
        if (after.locations.some(one => one.instanceId === instance.id && isLive(one) && one.desired === "retire"))
          continue;
        const current = after.locations.find(
          location => location.instanceId === instance.id && location.epoch === instance.epoch,
        );
        if (current !== undefined && (isLive(current) || current.desired !== "stop")) continue;
        expect(instance.refusal !== undefined || instance.retryAt !== undefined).toBe(true);
      }
    }),
    { numRuns: 1000 },
  );
});

test("what serves is never stopped before something else of its slot serves, unless nobody wants it", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      const { changes } = decide(world, DEFAULT_SETTINGS, NOW);
      const retired = new Set(changesOf(changes, "retire").map(change => `${change.instanceId}@${change.epoch}`));
      for (const stop of changesOf(changes, "stop"))
        expect(retired.has(`${stop.instanceId}@${stop.epoch}`)).toBe(false);
      for (const { instanceId, epoch } of changesOf(changes, "stop")) {
        const location = world.locations.find(one => one.instanceId === instanceId && one.epoch === epoch);
        const node = world.nodes.find(one => one.id === location?.nodeId);
        const served =
          location?.desired === "run" &&
          location.state === "running" &&
          location.health !== "unhealthy" &&
          location.health !== "starting";
        expect(served && node !== undefined && node.liveness !== "down").toBe(false);
      }
    }),
    { numRuns: 500 },
  );
});

/**
 * Counts by hand, without the code under test, what the live locations of a node take; only new
 * work is held to it.
 */
function expectRoomOn(world: World, nodeId: string, before: World): void {
  const isNew = (location: Location): boolean =>
    !before.locations.some(one => one.instanceId === location.instanceId && one.epoch === location.epoch);
  const specOf = (location: Location): DeploymentSpec =>
    world.releases.find(one => one.deploymentId === location.deploymentId && one.number === location.release)!.spec;
  const node = world.nodes.find(one => one.id === nodeId)!;
  const here = world.locations.filter(location => location.nodeId === nodeId);
  const live = here.filter(isLive);
  const total = (of: (resources: Resources) => number): number =>
    live.flatMap(location => specOf(location).containers).reduce((sum, container) => sum + of(container.resources), 0);
  for (const location of live.filter(isNew)) {
    const spec = specOf(location);
    const { reserveCpuMillis, reserveMemoryBytes } = spec.containers[0]!.resources;
    expect(live.length).toBeLessThanOrEqual(node.capacity.instances);
    if (reserveCpuMillis > 0) expect(total(one => one.reserveCpuMillis)).toBeLessThanOrEqual(node.capacity.cpuMillis);
    if (reserveMemoryBytes > 0)
      expect(total(one => one.reserveMemoryBytes)).toBeLessThanOrEqual(node.capacity.memoryBytes);
    const ofDeployment = live.filter(one => one.deploymentId === location.deploymentId);
    expect(ofDeployment.length).toBeLessThanOrEqual(spec.placement.maxPerNode ?? Infinity);
    for (const name of spec.placement.antiAffinity) {
      expect(live.filter(one => one.deploymentId === `${location.tenantId}.${name}`)).toEqual([]);
    }
    for (const { protocol, hostPort } of location.ports) {
      const same = here
        .filter(one => one.state !== "completed")
        .flatMap(one => one.ports)
        .filter(used => used.protocol === protocol && used.hostPort === hostPort);
      expect(same.length).toBe(1);
      expect(spec.containers[0]!.ports[0]!.hostPort ?? hostPort).toBe(hostPort);
    }
  }
}

test("no plan is stale for the world that it was decided on: it would never be committed", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), world => {
      expect(whyStale(world, decide(world, DEFAULT_SETTINGS, NOW))).toBeUndefined();
    }),
    { numRuns: 2000 },
  );
});
