import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { ContainerSpec, DeploymentSpec } from "@skep/core/model/deployment.ts";
import { volumesOf } from "@skep/core/model/volume.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";

/** A container of a spec for tests: what is not given is the plainest thing. */
export function aContainer(over: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    name: "app",
    image: "busybox",
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

/** A deployment's spec for tests: one container, always restarted. */
export function aSpec(over: Partial<DeploymentSpec> = {}): DeploymentSpec {
  return {
    name: "web",
    replicas: 1,
    containers: [aContainer()],
    placement: { strategy: "least-loaded", constraints: [], maxPerNode: undefined, antiAffinity: [] },
    restart: { condition: "any", delayMs: 1_000, maxDelayMs: 60_000, maxAttempts: undefined, windowMs: 10_000 },
    update: { order: "start-first", parallelism: 1 },
    stopGraceMs: 10_000,
    exclusive: undefined,
    project: undefined,
    service: undefined,
    source: undefined,
    dependsOn: [],
    mode: "replicated",
    job: undefined,
    ...over,
  };
}

/** An assigned instance for tests: `acme.web.1` at epoch 1, wanted to run. */
export function anInstance(over: Partial<AssignedInstance> = {}): AssignedInstance {
  const spec = over.spec ?? aSpec();
  return {
    instanceId: "acme.web.1",
    tenantId: "acme",
    epoch: 1,
    release: 1,
    slot: 0,
    desired: "run",
    ports: [],
    spec,
    volumes: volumesOf("acme", spec).map(({ owner, name }) => ({ owner, name, serial: 1 })),
    ...over,
  };
}

/** An assignment for tests: term 1, revision 1, nothing in it. */
export function anAssignment(over: Partial<Assignment> = {}): Assignment {
  return {
    ...{ nodeId: "node-1", incarnation: "inc-1", succeeds: [], term: 1, revision: 1, availability: "active" },
    ...{ stamps: [], instances: [], removals: [], volumeRemovals: [] },
    ...over,
  };
}
