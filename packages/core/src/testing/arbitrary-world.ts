import fc from "fast-check";
import type { World } from "../world/world.ts";
import type { Deployment, DeploymentSpec, Release } from "../model/deployment.ts";
import type { Instance, InstanceState, Location, Refusal } from "../model/instance.ts";
import type { Node } from "../model/node.ts";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import { slotOfNode } from "../model/node-slot.ts";
import { isFinal } from "../model/state.ts";
import { DEPENDS_ON } from "../model/waiting.ts";
import { aContainer, aDeployment, aLocation, aNode, aSpec, aTenant, aVolume, anInstance } from "./builders.ts";

const MIB = 1024 * 1024;
const STATES: readonly InstanceState[] = [
  "assigned",
  "preparing",
  "starting",
  "running",
  "running",
  "running",
  "stopping",
  "stopped",
  "completed",
  "failed",
  "lost",
];

/**
 * Any world that the records can be in at `now`, from empty to overfull, for property tests. Small,
 * so that it shrinks well.
 */
export function aWorldOfAnyKind(now: number): fc.Arbitrary<World> {
  return fc
    .record({
      nodes: fc.array(nodeShape, { maxLength: 5 }),
      deployments: fc.array(deploymentShape, { maxLength: 4 }),
      quota: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
    })
    .map(({ nodes, deployments, quota }) => build(nodes, deployments, quota, now));
}

/** The label of the node that has the platform's own database. */
const DATABASE = { "postgres.replica": "1" };

/** Nodes of any role, availability, liveness, size, load and label. */
export const nodeShape = fc.record({
  availability: fc.constantFrom("active", "active", "active", "drain", "pause"),
  liveness: fc.constantFrom("ready", "ready", "ready", "suspect", "down", "unknown"),
  compute: fc.boolean(),
  role: fc.constantFrom("worker", "worker", "manager"),
  control: fc.constantFrom({}, {}, {}, { "skep.control": "true" }, { "skep.control": "false" }, DATABASE),
  cpuMillis: fc.constantFrom(1000, 4000),
  memoryMiB: fc.constantFrom(512, 4096),
  instances: fc.integer({ min: 1, max: 6 }),
  ports: fc.integer({ min: 1, max: 6 }),
  load: fc.option(fc.record({ cpuShare: fc.constantFrom(0, 0.25, 0.5), memoryShare: fc.constantFrom(0, 0.25) }), {
    nil: undefined,
  }),
  lastPlaced: fc.integer({ min: 0, max: 20 }),
});

const deploymentShape = fc.record({
  desired: fc.constantFrom("run", "run", "run", "run", "stopped", "deleted"),
  replicas: fc.integer({ min: 0, max: 5 }),
  strategy: fc.constantFrom("least-loaded", "round-robin", "resource-based", "spread"),
  constrained: fc.boolean(),
  maxPerNode: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  avoids: fc.constantFrom(undefined, undefined, "d0", "d1"),
  order: fc.constantFrom("start-first", "stop-first"),
  parallelism: fc.integer({ min: 0, max: 2 }),
  condition: fc.constantFrom("any", "any", "on-failure", "none"),
  maxAttempts: fc.constantFrom(undefined, undefined, 2),
  mode: fc.constantFrom("replicated", "replicated", "replicated", "replicated-job", "global", "global-job"),
  waitsFor: fc.option(
    fc.record({
      name: fc.constantFrom("d0", "d1", "d2", "d3", "nobody"),
      condition: fc.constantFrom("started", "healthy", "completed"),
      required: fc.boolean(),
    }),
    { nil: undefined, freq: 2 },
  ),
  reserveMiB: fc.constantFrom(0, 0, 128, 1024),
  reserveCpu: fc.constantFrom(0, 500),
  hostPort: fc.constantFrom(undefined, undefined, 20001, 8080),
  published: fc.boolean(),
  mounts: fc.constantFrom<readonly string[]>([], [], [], ["data"], ["one"], ["one", "two"]),
  project: fc.constantFrom(undefined, "shop", "shop"),
  isExternal: fc.constantFrom(false, false, false, true),
  movesEmpty: fc.constantFrom(false, true),
  exclusive: fc.constantFrom(undefined, undefined, undefined, true, false),
  home: fc.option(fc.integer({ min: 0, max: 6 }), { nil: undefined }),
  instances: fc.array(
    fc.record({
      old: fc.boolean(),
      slot: fc.integer({ min: 0, max: 5 }),
      stop: fc.boolean(),
      waits: fc.boolean(),
      retryIn: fc.option(fc.integer({ min: -5000, max: 5000 }), { nil: undefined }),
      locations: fc.array(
        fc.record({
          node: fc.integer({ min: 0, max: 6 }),
          state: fc.constantFrom(...STATES),
          health: fc.constantFrom("none", "healthy", "starting", "unhealthy"),
          desired: fc.constantFrom("run", "run", "run", "retire", "stop"),
          remains: fc.boolean(),
          age: fc.constantFrom(0, 1000, 10_000, 100_000, 400_000),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 5 },
  ),
});

const WAITS: Refusal = {
  removed: [{ filter: DEPENDS_ON, nodes: 0, sentence: "it waits" }],
  advice: "it waits",
};

type NodeShape = typeof nodeShape extends fc.Arbitrary<infer T> ? T : never;
type DeploymentShape = typeof deploymentShape extends fc.Arbitrary<infer T> ? T : never;

/** The node of a shape, numbered. */
export function nodeOf(shape: NodeShape, index: number): Node {
  return aNode({
    id: `node-${index}`,
    availability: shape.availability,
    liveness: shape.liveness,
    role: shape.role,
    labels: { ...shape.control, ...(shape.compute ? { compute: "true" } : {}) },
    load: shape.load,
    lastPlaced: shape.lastPlaced,
    capacity: {
      cpuMillis: shape.cpuMillis,
      memoryBytes: shape.memoryMiB * MIB,
      instances: shape.instances,
      portFrom: 20_000,
      portTo: 20_000 + shape.ports - 1,
    },
  });
}

function build(
  nodes: readonly NodeShape[],
  shapes: readonly DeploymentShape[],
  quota: number | undefined,
  now: number,
): World {
  const built = shapes.map((shape, at) => deploymentOf(shape, at, nodes.length, now));
  return {
    tenants: [aTenant({ quota: { instances: quota, cpuMillis: undefined, memoryBytes: undefined } })],
    nodes: nodes.map(nodeOf),
    deployments: built.map(one => one.deployment),
    releases: built.flatMap(one => one.releases),
    instances: built.flatMap(one => one.instances),
    locations: withoutSharedPorts(built.flatMap(one => one.locations)),
    releasedPorts: [],
    volumes: shapes.flatMap(({ home, project, ...shape }, at) =>
      mountsOf(shape)
        .slice(0, home === undefined ? 0 : 1)
        .map(name => {
          const owner = project === undefined ? `acme.d${at}` : `acme/${project}`;
          return aVolume({ owner, name, serial: at + 1, nodeId: `node-${home! % (nodes.length + 1)}` });
        }),
    ),
    placements: 20,
  };
}

/** What is global mounts no volume: it would have one on each node. */
/** What runs on each node has no number of its own. */
function replicasOf({ mode, replicas }: Pick<DeploymentShape, "mode" | "replicas">): number {
  return mode.startsWith("global") ? 1 : replicas;
}

function mountsOf({ mode, mounts }: Pick<DeploymentShape, "mode" | "mounts">): readonly string[] {
  return mode.startsWith("global") ? [] : mounts;
}

/** The spec of a shape; both of its releases have it. */
function specOf(shape: DeploymentShape, at: number): DeploymentSpec {
  return aSpec({
    name: `d${at}`,
    project: shape.project,
    replicas: replicasOf(shape),
    exclusive: shape.mode.startsWith("global") ? undefined : shape.exclusive,
    service: shape.project === undefined ? undefined : `d${at}`,
    containers: [
      aContainer({
        resources: {
          ...DEFAULT_RESOURCES,
          reserveMemoryBytes: shape.reserveMiB * MIB,
          reserveCpuMillis: shape.reserveCpu,
        },
        volumes: mountsOf(shape).map(name => ({
          ...{ name, target: `/${name}`, readOnly: false },
          ...(shape.isExternal ? { isExternal: true } : {}),
          ...(shape.movesEmpty ? { move: "empty" as const } : {}),
        })),
        ports: shape.published ? [{ containerPort: 80, protocol: "tcp", hostPort: shape.hostPort }] : [],
      }),
    ],
    placement: {
      strategy: shape.strategy,
      constraints: shape.constrained ? ["node.labels.compute == true"] : [],
      maxPerNode: shape.maxPerNode,
      antiAffinity: shape.avoids === undefined || shape.avoids === `d${at}` ? [] : [shape.avoids],
    },
    restart: { condition: shape.condition, maxAttempts: shape.maxAttempts },
    dependsOn: shape.waitsFor === undefined ? [] : [shape.waitsFor],
    mode: shape.mode,
    job: shape.mode.endsWith("job") ? { maxConcurrent: shape.parallelism || undefined } : undefined,
    update: { order: shape.order, parallelism: shape.parallelism },
  });
}

function deploymentOf(
  shape: DeploymentShape,
  at: number,
  nodes: number,
  now: number,
): { deployment: Deployment; releases: Release[]; instances: Instance[]; locations: Location[] } {
  const id = `acme.d${at}`;
  const spec = specOf(shape, at);
  const instances: Instance[] = [];
  const locations: Location[] = [];
  shape.instances.forEach((one, index) => {
    const instance = anInstance({
      id: `${id}.${index + 1}`,
      deploymentId: id,
      release: one.old ? 1 : 2,
      slot: shape.mode.startsWith("global") ? slotOfNode(`node-${one.slot}`) : one.slot,
      epoch: one.locations.length,
      desired: one.stop ? "stop" : "run",
      refusal: one.waits ? WAITS : undefined,
      retryAt: one.retryIn === undefined ? undefined : now + one.retryIn,
    });
    instances.push(instance);
    one.locations.forEach((location, epoch) => {
      if (isFinal(location.state) && epoch + 1 < one.locations.length && location.age === 0) return;
      locations.push(
        aLocation({
          instanceId: instance.id,
          deploymentId: id,
          release: instance.release,
          epoch: epoch + 1,
          nodeId: `node-${location.node % (nodes + 1)}`,
          state: location.state,
          health: location.health,
          desired: one.stop ? "stop" : location.desired,
          desiredAt: now - location.age,
          changedAt: now - location.age,
          containers: location.remains
            ? [{ name: "app", id: "c1", imageId: "", running: false, exitCode: 0, restarts: 0 }]
            : [],
          ports: shape.published
            ? [{ container: "app", containerPort: 80, protocol: "tcp", hostPort: shape.hostPort ?? 20_000 + index }]
            : [],
        }),
      );
    });
  });
  return {
    deployment: aDeployment({
      id,
      name: `d${at}`,
      desired: shape.desired,
      replicas: replicasOf(shape),
      release: 2,
      nextSerial: shape.instances.length + 1,
    }),
    releases: [1, 2].map(number => ({ deploymentId: id, number, spec })),
    instances,
    locations,
  };
}

/** The store lets no two locations have one port of a node, so the generated ones do not either. */
function withoutSharedPorts(locations: readonly Location[]): Location[] {
  const taken = new Set<string>();
  return locations.map(location => {
    const keys = location.ports.map(port => `${location.nodeId}/${port.hostPort}/${port.protocol}`);
    if (keys.some(key => taken.has(key))) return { ...location, ports: [] };
    for (const key of keys) taken.add(key);
    return location;
  });
}
