/**
 * Builders of the core's values for tests: each makes a complete, valid value, and takes only what
 * a test is about.
 */
import { deploymentIdOf, deploymentOf, instanceIdOf, tenantOf } from "../model/instance-id.ts";
import type { Change } from "../world/plan.ts";
import type { World } from "../world/world.ts";
import type { AssignedInstance, Assignment } from "../model/assignment.ts";
import type { ContainerSpec, Deployment, DeploymentSpec, Release } from "../model/deployment.ts";
import type { Instance, Location } from "../model/instance.ts";
import type { Capacity, Node } from "../model/node.ts";
import type { Observed, ObservedContainer } from "../model/observed.ts";
import { DEFAULT_RESOURCES } from "../model/resources.ts";
import type { Tenant } from "../model/tenant.ts";
import { tenantOfOwner, type Volume } from "../model/volume.ts";

const MIB = 1024 * 1024;

/**
 * An active, ready worker with 4 cores, 8 GiB and 100 instances of room; `capacity` may be given in
 * part.
 */
export function aNode(over: Partial<Omit<Node, "capacity">> & { readonly capacity?: Partial<Capacity> } = {}): Node {
  const id = over.id ?? "node-1";
  return {
    id,
    hostname: id,
    address: "10.0.0.1",
    role: "worker",
    availability: "active",
    liveness: "ready",
    labels: {},
    engineLabels: {},
    os: "linux",
    architecture: "x86_64",
    engineVersion: "20.10.24",
    load: undefined,
    lastPlaced: 0,
    assignmentRevision: 0,
    assignmentStamps: [],
    ...over,
    capacity: {
      cpuMillis: 4000,
      memoryBytes: 8192 * MIB,
      instances: 100,
      portFrom: 20000,
      portTo: 29999,
      ...over.capacity,
    },
  };
}

/**
 * `count` nodes `node-1`, `node-2` ... with addresses 10.0.0.1 and on; `each` changes the one at an
 * index.
 */
export function someNodes(count: number, each: (index: number) => Parameters<typeof aNode>[0] = () => ({})): Node[] {
  return Array.from({ length: count }, (_, index) =>
    aNode({ id: `node-${index + 1}`, address: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}`, ...each(index) }),
  );
}

/** A container named `app` of image `app:1` without ports, volumes or a health check. */
export function aContainer(over: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: "app",
    image: "app:1",
    entrypoint: undefined,
    command: undefined,
    env: {},
    labels: {},
    workingDir: undefined,
    user: undefined,
    readOnly: false,
    stopSignal: undefined,
    ports: [],
    volumes: [],
    tmpfs: [],
    resources: DEFAULT_RESOURCES,
    health: undefined,
    ...over,
  };
}

/**
 * A spec named `web` with one replica of one container; placement, restart and update may be given
 * in part.
 */
export function aSpec(
  over: Partial<Omit<DeploymentSpec, "placement" | "restart" | "update">> & {
    readonly placement?: Partial<DeploymentSpec["placement"]>;
    readonly restart?: Partial<DeploymentSpec["restart"]>;
    readonly update?: Partial<DeploymentSpec["update"]>;
  } = {},
): DeploymentSpec {
  return {
    name: "web",
    replicas: 1,
    containers: [aContainer()],
    stopGraceMs: 10_000,
    exclusive: undefined,
    project: undefined,
    service: undefined,
    source: undefined,
    dependsOn: [],
    mode: "replicated",
    job: undefined,
    ...over,
    placement: {
      strategy: "least-loaded",
      constraints: [],
      maxPerNode: undefined,
      antiAffinity: [],
      ...over.placement,
    },
    restart: {
      condition: "any",
      delayMs: 1000,
      maxDelayMs: 60_000,
      maxAttempts: undefined,
      windowMs: 60_000,
      ...over.restart,
    },
    update: { order: "start-first", parallelism: 1, ...over.update },
  };
}

/** A tenant without a quota. */
export function aTenant(over: Partial<Tenant> = {}): Tenant {
  return { id: "acme", quota: { instances: undefined, cpuMillis: undefined, memoryBytes: undefined }, ...over };
}

/** Deployment `acme.web`, wanted with one replica of release 1. */
export function aDeployment(over: Partial<Deployment> = {}): Deployment {
  const tenantId = over.tenantId ?? "acme";
  const name = over.name ?? "web";
  return {
    id: deploymentIdOf(tenantId, name),
    tenantId,
    name,
    desired: "run",
    replicas: 1,
    release: 1,
    resourceVersion: 1,
    nextSerial: 1,
    createdAt: 0,
    ...over,
  };
}

/** Release 1 of `acme.web`. */
export function aRelease(over: Partial<Release> = {}): Release {
  return { deploymentId: "acme.web", number: 1, spec: aSpec(), ...over };
}

/** Instance `acme.web.1` of slot 0, wanted and not yet placed. */
export function anInstance(over: Partial<Instance> = {}): Instance {
  const deploymentId = over.deploymentId ?? "acme.web";
  return {
    id: instanceIdOf(deploymentId, 1),
    tenantId: tenantOf(deploymentId),
    deploymentId,
    release: 1,
    slot: 0,
    epoch: 0,
    desired: "run",
    createdAt: 0,
    refusal: undefined,
    retryAt: undefined,
    ...over,
  };
}

/** The location of `acme.web.1` at epoch 1, running on `node-1`, without a health check. */
export function aLocation(over: Partial<Location> = {}): Location {
  const instanceId = over.instanceId ?? "acme.web.1";
  const deploymentId = over.deploymentId ?? deploymentOf(instanceId);
  return {
    instanceId,
    deploymentId,
    tenantId: tenantOf(deploymentId),
    release: 1,
    epoch: 1,
    nodeId: "node-1",
    desired: "run",
    desiredAt: 0,
    ports: [],
    state: "running",
    health: "none",
    containers: [],
    message: "",
    changedAt: 0,
    ...over,
  };
}

/** Volume `data` of `acme.web` on `node-1`. */
export function aVolume(over: Partial<Volume> = {}): Volume {
  const owner = over.owner ?? "acme.web";
  const tenantId = tenantOfOwner(owner);
  const times = { createdAt: 0, usedAt: 0 };
  return { tenantId, owner, name: "data", serial: 1, nodeId: "node-1", ...times, state: "kept", ...over };
}

/** A world with tenant `acme` and nothing else, unless told otherwise. */
export function aWorld(over: Partial<World> = {}): World {
  return {
    tenants: [aTenant()],
    nodes: [],
    deployments: [],
    releases: [],
    instances: [],
    locations: [],
    releasedPorts: [],
    volumes: [],
    placements: 0,
    ...over,
  };
}

/** An assignment of nothing for `node-1`. */
export function anAssignment(over: Partial<Assignment> = {}): Assignment {
  return {
    ...{ nodeId: "node-1", incarnation: "inc-1", succeeds: [], term: 1, revision: 1, availability: "active" },
    ...{ stamps: [], instances: [], removals: [], volumeRemovals: [] },
    ...over,
  };
}

/** `acme.web.1` at epoch 1, to be run. */
export function anAssignedInstance(over: Partial<AssignedInstance> = {}): AssignedInstance {
  return {
    instanceId: "acme.web.1",
    tenantId: "acme",
    epoch: 1,
    release: 1,
    slot: 0,
    desired: "run",
    ports: [],
    spec: aSpec(),
    volumes: [],
    ...over,
  };
}

/** A running container `app` of `acme.web.1` at epoch 1. */
export function anObservedContainer(over: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    id: "c1",
    name: "app",
    role: "app",
    instanceId: "acme.web.1",
    tenantId: "acme",
    deploymentId: "acme.web",
    release: 1,
    epoch: 1,
    specHash: "",
    isExclusive: false,
    state: "running",
    exitCode: undefined,
    oomKilled: false,
    imageId: "sha256:1",
    engineHealth: "none",
    createdAt: 0,
    startedAt: 0,
    finishedAt: undefined,
    ports: [],
    isDetached: false,
    mounts: [],
    labels: {},
    ...over,
  };
}

/** An engine that runs nothing of ours and has no image. */
export function anObserved(over: Partial<Observed> = {}): Observed {
  return { containers: [], networks: [], volumes: [], images: [], ...over };
}

/** The changes of one kind, typed as such. */
export function changesOf<K extends Change["kind"]>(
  changes: readonly Change[],
  kind: K,
): Extract<Change, { kind: K }>[] {
  return changes.filter((change): change is Extract<Change, { kind: K }> => change.kind === kind);
}
