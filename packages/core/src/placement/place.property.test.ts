import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { DEFAULT_SETTINGS, type World } from "../world/world.ts";
import type { DeploymentSpec, Strategy } from "../model/deployment.ts";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import { nodeOf, nodeShape } from "../testing/arbitrary-world.ts";
import { aContainer, aDeployment, aRelease, aSpec, aTenant, aVolume, aWorld, someNodes } from "../testing/builders.ts";
import { placeNaively } from "../testing/naive-placement.ts";
import type { TenantsOnManagers } from "../model/node.ts";
import type { Fleet } from "./fleet.ts";
import { fleetOf } from "./fleet-of-world.ts";
import { needOf } from "./need.ts";
import { groupsOf, placeBatch } from "./place.ts";
import type { BatchResult, PlacementRequest } from "./place.ts";

// Many runs of many steps: on a busy machine they take their time.
vi.setConfig({ testTimeout: 120_000 });

const MIB = 1024 * 1024;
const STRATEGIES: readonly Strategy[] = ["least-loaded", "round-robin", "resource-based", "spread"];

const wantShape = fc.record({
  strategy: fc.constantFrom(...STRATEGIES),
  replicas: fc.integer({ min: 1, max: 6 }),
  constrained: fc.boolean(),
  maxPerNode: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  avoids: fc.constantFrom(undefined, undefined, "d0", "d1", "d2"),
  volumes: fc.constantFrom<readonly string[]>([], [], ["data"], ["one"], ["two"], ["one", "two"], ["two", "three"]),
  isExternal: fc.constantFrom(false, false, false, false, true),
  project: fc.constantFrom(undefined, "shop", "shop"),
  reserveMiB: fc.constantFrom(0, 64, 128, 256),
  reserveCpu: fc.constantFrom(0, 250),
  ports: fc.array(fc.constantFrom(undefined, undefined, 20001, 8443), { maxLength: 2 }),
  specMiB: fc.constantFrom(0, 0, 0, 5, 9, 17),
});

const scene = fc
  .record({
    nodes: fc.array(nodeShape, { maxLength: 6 }),
    home: fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
    wants: fc.array(wantShape, { maxLength: 4 }),
    quota: fc.option(fc.integer({ min: 0, max: 10 }), { nil: undefined }),
    tenantsOnManagers: fc.constantFrom<TenantsOnManagers>("avoid", "never", "allow"),
  })
  .map(({ nodes, home, wants, quota, tenantsOnManagers }) => {
    const specs = wants.map(specOf);
    const world = aWorld({
      deployments: specs.map(({ name, replicas }) => aDeployment({ id: `acme.${name}`, name, replicas })),
      releases: specs.map(spec => aRelease({ deploymentId: `acme.${spec.name}`, spec })),
      volumes: home === undefined ? [] : [aVolume({ owner: "acme/shop", name: "two", nodeId: `node-${home}` })],
      nodes: nodes.map(nodeOf),
      tenants: [aTenant({ quota: { instances: quota, cpuMillis: undefined, memoryBytes: undefined } })],
      placements: 20,
    });
    const requests = specs.flatMap((spec, at) => requestsOf(spec, spec.replicas, wants[at]!.specMiB));
    return { world, requests, settings: { ...DEFAULT_SETTINGS, tenantsOnManagers } };
  });

test("placing by groups and heaps gives what filtering and sorting anew for each instance gives", () => {
  fc.assert(
    fc.property(scene, ({ world, requests, settings }) => {
      const { placed, refused } = placeBatch(fleetOf(world, 0, settings), requests);
      const order = groupsOf(fleetWith(world, requests), requests).flat();
      const naive = placeNaively(world, order, settings.tenantsOnManagers);
      expect(placed.map(({ instanceId, nodeId, ports }) => ({ instanceId, nodeId, ports }))).toEqual(naive.placed);
      expect(refused.map(one => one.instanceId)).toEqual(naive.refused);
    }),
    { numRuns: 800 },
  );
});

test("the order of the requests does not matter", () => {
  fc.assert(
    fc.property(scene, fc.integer(), ({ world, requests, settings }, salt) => {
      const shuffled = [...requests].sort((a, b) => hash(a.instanceId, salt) - hash(b.instanceId, salt));
      const fleet = (): Fleet => fleetOf(world, 0, settings);
      expect(placeBatch(fleet(), shuffled)).toEqual(placeBatch(fleet(), requests));
    }),
    { numRuns: 500 },
  );
});

test("who is refused learns how many nodes each filter removed, all nodes in sum, and what would help", () => {
  fc.assert(
    fc.property(scene, ({ world, requests, settings }) => {
      for (const { refusal } of placeBatch(fleetOf(world, 0, settings), requests).refused) {
        expect(refusal.advice).not.toBe("");
        expect(refusal.removed.reduce((sum, one) => sum + one.nodes, 0)).toBe(world.nodes.length);
      }
    }),
    { numRuns: 500 },
  );
});

test("round-robin visits every node before it repeats one, across batches", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 60 }), (size, count) => {
      const visits = placeAll(someNodes(size), "round-robin", count).placed.map(one => one.nodeId);
      for (let at = 0; at < visits.length; at += size) {
        const turn = visits.slice(at, at + size);
        expect(new Set(turn).size).toBe(turn.length);
      }
    }),
  );
});

test("round-robin goes on where earlier placements left off", () => {
  const nodes = someNodes(3, index => ({ lastPlaced: [7, 0, 3][index]! }));
  expect(placeAll(nodes, "round-robin", 4).placed.map(one => one.nodeId)).toEqual([
    "node-2",
    "node-3",
    "node-1",
    "node-2",
  ]);
});

test("least-loaded stays within one instance of ideal on nodes of equal size and load", () => {
  const load = fc.option(
    fc.record({ cpuShare: fc.constantFrom(0, 0.3, 0.7), memoryShare: fc.constantFrom(0, 0.3, 0.7) }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 80 }), load, (size, count, measured) => {
      const { placed } = placeAll(
        someNodes(size, () => ({ load: measured })),
        "least-loaded",
        count,
      );
      const perNode = [...Map.groupBy(placed, one => one.nodeId).values()].map(list => list.length);
      const least = perNode.length < size ? 0 : Math.min(...perNode);
      expect(Math.max(0, ...perNode) - least).toBeLessThanOrEqual(1);
    }),
  );
});

test("least-loaded prefers the idle node until what was placed there outweighs the other's load", () => {
  const nodes = someNodes(2, index => ({ load: { cpuShare: index === 0 ? 0.5 : 0, memoryShare: 0 } }));
  const [first, ...rest] = placeAll(nodes, "least-loaded", 12).placed.map(one => one.nodeId);
  expect(first).toBe("node-2");
  expect(rest).toContain("node-1");
});

test("least-loaded gives the second copy to the other node, however busy, and goes by load where each has one", () => {
  const nodes = someNodes(2, index => ({ load: { cpuShare: index === 0 ? 0.9 : 0, memoryShare: 0 } }));
  const { placed } = placeAll(nodes, "least-loaded", 4);
  expect(placed.map(one => one.nodeId)).toEqual(["node-2", "node-1", "node-2", "node-2"]);
  expect(placed.map(one => one.because.includes("it has a copy already"))).toEqual([false, true, false, false]);
});

test("a node that is to be avoided is no better for having no copy", () => {
  const nodes = someNodes(2, index => ({ role: index === 0 ? "manager" : "worker" }));
  const placed = placeAll(nodes, "least-loaded", 3).placed.map(one => one.nodeId);
  expect(placed).toEqual(["node-2", "node-2", "node-2"]);
});

test("resource-based fills the node that is fullest already and still fits", () => {
  const nodes = someNodes(3, index => ({ capacity: { memoryBytes: [1024, 512, 2048][index]! * MIB } }));
  const placed = placeAll(nodes, "resource-based", 5, 256).placed.map(one => one.nodeId);
  expect(placed).toEqual(["node-2", "node-2", "node-1", "node-1", "node-1"]);
});

test("spread puts instances of one deployment apart before it looks at the rest", () => {
  const placed = placeAll(someNodes(3), "spread", 6).placed.map(one => one.nodeId);
  expect(placed).toEqual(["node-1", "node-2", "node-3", "node-1", "node-2", "node-3"]);
});

function placeAll(nodes: World["nodes"], strategy: Strategy, count: number, reserveMiB = 0): BatchResult {
  const spec = aSpec({
    placement: { strategy },
    containers: [aContainer({ resources: { ...DEFAULT_RESOURCES, reserveMemoryBytes: reserveMiB * MIB } })],
  });
  const placements = Math.max(...nodes.map(node => node.lastPlaced));
  return placeBatch(fleetOf(aWorld({ nodes, placements }), 0), requestsOf(spec, count));
}

function requestsOf(spec: DeploymentSpec, count: number, specMiB = 0): PlacementRequest[] {
  const id = `acme.${spec.name}`;
  const plain = needOf("acme", id, spec);
  // A spec of that size, without its text.
  const large = { signature: `${plain.signature}${id}`, largeSpec: { key: id, bytes: specMiB * MIB } };
  const need = specMiB === 0 ? plain : { ...plain, ...large };
  return Array.from({ length: count }, (_, slot) => ({
    need,
    slot,
    exclude: undefined,
    instanceId: `${id}.${slot + 1}`,
  }));
}

function specOf(shape: typeof wantShape extends fc.Arbitrary<infer T> ? T : never, at: number): DeploymentSpec {
  return aSpec({
    name: `d${at}`,
    project: shape.project,
    replicas: shape.replicas,
    containers: [
      aContainer({
        resources: {
          ...DEFAULT_RESOURCES,
          reserveMemoryBytes: shape.reserveMiB * MIB,
          reserveCpuMillis: shape.reserveCpu,
        },
        volumes: shape.volumes.map(name => ({
          ...{ name, target: `/${name}`, readOnly: false },
          ...(shape.isExternal ? { isExternal: true } : {}),
        })),
        ports: shape.ports.map((hostPort, index) => ({ containerPort: 80 + index, protocol: "tcp", hostPort })),
      }),
    ],
    placement: {
      strategy: shape.strategy,
      constraints: shape.constrained ? ["node.labels.compute == true"] : [],
      maxPerNode: shape.maxPerNode,
      antiAffinity: shape.avoids === undefined ? [] : [shape.avoids],
    },
  });
}

/**
 * A fleet in which the anti-affinities are declared, as after a batch; the order of groups depends
 * on them.
 */
function fleetWith(world: World, requests: readonly PlacementRequest[]): ReturnType<typeof fleetOf> {
  const fleet = fleetOf({ ...world, nodes: [] }, 0);
  placeBatch(fleet, requests);
  return fleet;
}

function hash(text: string, salt: number): number {
  let sum = salt;
  for (const letter of text) sum = Math.imul(sum ^ letter.charCodeAt(0), 0x01000193);
  return sum;
}
