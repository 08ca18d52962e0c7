import fc from "fast-check";
import { expect, test, vi } from "vitest";
import type { Instance, Location } from "../model/instance.ts";
import { aWorldOfAnyKind } from "../testing/arbitrary-world.ts";
import { aContainer, aDeployment, aNode, aRelease, aSpec, aVolume } from "../testing/builders.ts";
import { LARGE_SPEC_BYTES } from "../model/assignment.ts";
import type { Counts } from "../placement/fleet.ts";
import { countsOfDraft } from "../placement/fleet-of-world.ts";
import type { Standing } from "../placement/standing.ts";
import { openDraft } from "../world/draft.ts";
import { applyPlan } from "../world/apply.ts";
import { DEFAULT_SETTINGS, type Settings, type World } from "../world/world.ts";
import { decide, lookAt, type Look } from "./decide.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const NOW = 1_000_000;
/** Of a spec that is too large to be carried. */
const LARGE = { TEXT: "x".repeat(LARGE_SPEC_BYTES) };

/** What may become of a world between two looks; `pick` chooses the record. */
type Event = (world: World, pick: number) => World;

const EVENTS: Readonly<Record<string, Event>> = {
  nothing: world => world,
  "an instance runs": at((one: Location) => ({ ...one, state: "running", health: "none" })),
  "an instance is unwell": at((one: Location) => ({ ...one, state: "running", health: "unhealthy" })),
  "an instance fails": at((one: Location) => ({ ...one, state: "failed", containers: [] })),
  "an instance is completed": at((one: Location) => ({ ...one, state: "completed" })),
  "an instance ends": at((one: Location) => ({ ...one, state: "stopped", containers: [] })),
  "a location vanishes": (world, pick) => ({ ...world, locations: without(world.locations, pick) }),
  "an instance vanishes": (world, pick) => ({ ...world, instances: without(world.instances, pick) }),
  "an instance is unseen": (world, pick) => ({
    ...world,
    unseen: new Map(some(world.instances, pick).map(one => [one.id, NOW + 30_000])),
  }),
  "all is seen": world => ({ ...world, unseen: new Map() }),
  "a deployment comes": (world, pick) => {
    const name = `${pick % 2 === 0 ? "a" : "z"}${world.deployments.length}`;
    const env = pick % 3 === 0 ? LARGE : {};
    const release = aRelease({
      deploymentId: `acme.${name}`,
      spec: aSpec({ name, containers: [aContainer({ env })] }),
    });
    return {
      ...world,
      deployments: [...world.deployments, aDeployment({ name })],
      releases: [...world.releases, release],
    };
  },
  "a deployment grows": (world, pick) => ({
    ...world,
    deployments: replaced(world.deployments, pick, one => ({ ...one, replicas: one.replicas + 1 })),
  }),
  "a deployment is deleted": (world, pick) => ({
    ...world,
    deployments: replaced(world.deployments, pick, one => ({ ...one, desired: "deleted" })),
  }),
  "a deployment vanishes": (world, pick) => ({ ...world, deployments: without(world.deployments, pick) }),
  "a release vanishes": (world, pick) => ({ ...world, releases: without(world.releases, pick) }),
  "a release becomes single": (world, pick) => ({
    ...world,
    releases: replaced(world.releases, pick, one => ({ ...one, spec: { ...one.spec, exclusive: true } })),
  }),
  "an instance is retried": (world, pick) => ({
    ...world,
    instances: replaced(world.instances, pick, (one: Instance) => ({ ...one, retryAt: undefined })),
  }),
  "a volume comes": (world, pick) => ({
    ...world,
    volumes: [
      ...world.volumes,
      ...some(world.deployments, pick).map(one =>
        aVolume({
          owner: pick % 2 === 0 ? one.id : "acme/shop",
          serial: 100 + world.volumes.length,
          nodeId: `node-${pick % 4}`,
        }),
      ),
    ],
  }),
  "a volume vanishes": (world, pick) => ({ ...world, volumes: without(world.volumes, pick) }),
  "a quota changes": (world, pick) => ({
    ...world,
    tenants: world.tenants.map(one => ({ ...one, quota: { ...one.quota, instances: pick % 9 } })),
  }),
  "a node is down": node({ liveness: "down" }),
  "a node is ready": node({ liveness: "ready" }),
  "a node is drained": node({ availability: "drain" }),
  "a node is active": node({ availability: "active" }),
  "a node comes": (world, pick) => {
    const id = `node-${pick % 7}`;
    return world.nodes.some(one => one.id === id) ? world : { ...world, nodes: [...world.nodes, aNode({ id })] };
  },
  "a node gets a label": node({ labels: { compute: "true" } }),
  "a node loses its labels": node({ labels: {} }),
  "a node is paused": node({ availability: "pause" }),
  "a node is busy": node({ load: { cpuShare: 0.9, memoryShare: 0.9 } }),
  "a node vanishes": (world, pick) => ({ ...world, nodes: without(world.nodes, pick) }),
};

const step = fc.record({
  event: fc.constantFrom(...Object.keys(EVENTS)),
  pick: fc.nat(50),
  passes: fc.constantFrom(0, 0, 0, 10, 10, 100, 3_000, 6_000, 400_000, -5_000),
  settings: fc.constantFrom(...Array.from({ length: 15 }, () => 0), 1),
  isCommitted: fc.constantFrom(true, true, true, false),
});

const SETTINGS = [DEFAULT_SETTINGS, { ...DEFAULT_SETTINGS, edgeSettleMs: 0, keepStoppedMs: 0 }];

test("a look that goes on from the one before decides what a look at everything does", () => {
  fc.assert(
    fc.property(aWorldOfAnyKind(NOW), fc.array(step, { minLength: 1, maxLength: 12 }), (start, steps) => {
      let [world, now] = [start, NOW];
      let before: Look | undefined = lookAt(world, DEFAULT_SETTINGS, now, undefined);
      for (const { event, pick, passes, settings, isCommitted } of steps) {
        if (isCommitted) world = applyPlan(world, before.plan, now);
        world = EVENTS[event]!(world, pick);
        now += passes;
        const chosen = SETTINGS[settings]!;
        before = lookAt(world, chosen, now, before);
        expect(before.plan).toEqual(decide(world, chosen, now));
        expectCounted(before.standing, chosen);
      }
    }),
    { numRuns: 1500 },
  );
});

/** What rests was counted as if for the first time. */
function expectCounted(standing: Standing | undefined, settings: Settings): void {
  if (standing === undefined) return;
  const { world, without: left, counts } = standing;
  const rest = openDraft(world, NOW, { has: id => !left.has(id) });
  expect(picked(counts)).toEqual(picked(countsOfDraft(rest, settings)));
}

function picked(counts: Counts): unknown {
  const { cpuUsed, memoryUsed, count, cpuSince, memorySince, specBytes } = counts;
  const { specs, deployed, leaving, avoidedBy, tenants } = counts;
  return { cpuUsed, memoryUsed, count, cpuSince, memorySince, specBytes, specs, deployed, leaving, avoidedBy, tenants };
}

function some<T>(items: readonly T[], pick: number): readonly T[] {
  return items.length === 0 ? [] : [items[pick % items.length]!];
}

function replaced<T>(items: readonly T[], pick: number, edit: (item: T) => T): readonly T[] {
  return items.map((item, index) => (index === pick % items.length ? edit(item) : item));
}

function without<T>(items: readonly T[], pick: number): readonly T[] {
  return items.filter((_, index) => index !== pick % items.length);
}

function at(edit: (location: Location) => Location): Event {
  return (world, pick) => ({ ...world, locations: replaced(world.locations, pick, edit) });
}

function node(change: Partial<World["nodes"][number]>): Event {
  return (world, pick) => ({ ...world, nodes: replaced(world.nodes, pick, one => ({ ...one, ...change })) });
}
