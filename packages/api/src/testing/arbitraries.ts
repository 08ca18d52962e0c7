import type { ReportedStatus } from "@skep/core/model/report.ts";
import type { AssignedInstance, Assignment } from "@skep/core/model/assignment.ts";
import type { ContainerSpec, DeploymentSpec, HealthCheck, VolumeMount } from "@skep/core/model/deployment.ts";
import type { ContainerOptions, TmpfsMount } from "@skep/core/model/container-options.ts";
import type { ContainerStatus, PortBinding } from "@skep/core/model/instance.ts";
import { INSTANCE_STATES } from "@skep/core/model/state.ts";
import * as fc from "fast-check";

/**
 * Generators of core values for the codecs' properties: everything that the types allow, within the
 * wire's ranges.
 */
export const text = fc.string({ maxLength: 12 });

/** Something a record may leave open. */
export const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });

/** 32-bit counts. */
export const count = fc.nat({ max: 4_294_967_295 });

/** Epochs and releases: records hold them up to 2^31. */
export const recorded = fc.nat({ max: 2_147_483_647 });

/** Counts as large as numbers are exact. */
export const long = fc.maxSafeNat();

const labels = fc.dictionary(text, text, { maxKeys: 4, noNullPrototype: true });
const texts = fc.array(text, { maxLength: 3 });
const few = { minLength: 1, maxLength: 3 };
/** An empty command is the same as none; see spec.proto. */
const command = maybe(fc.array(text, { minLength: 1, maxLength: 3 }));
const protocol = fc.constantFrom<PortBinding["protocol"]>("tcp", "udp");

const probe: fc.Arbitrary<HealthCheck["probe"]> = fc.oneof(
  fc.record({ kind: fc.constant("docker" as const), test: texts }),
  fc.record({ kind: fc.constant("http" as const), port: count, path: text }),
  fc.record({ kind: fc.constant("tcp" as const), port: count }),
  fc.record({ kind: fc.constant("image" as const) }),
);

const mount: fc.Arbitrary<VolumeMount> = fc.record(
  {
    ...{ name: text, target: text, readOnly: fc.boolean(), project: text },
    ...{ isExternal: fc.constant(true), move: fc.constant("empty" as const) },
  },
  { requiredKeys: ["name", "target", "readOnly"] },
);

/** What is said or not there at all: absent keys are what the codec gives. */
const options: fc.Arbitrary<ContainerOptions> = fc.record(
  {
    init: fc.constant(true as const),
    hostname: text,
    domainname: text,
    shmBytes: long,
    ulimits: fc.array(fc.record({ name: text, soft: fc.maxSafeInteger(), hard: fc.maxSafeInteger() }), few),
    extraHosts: fc.array(fc.record({ name: text, address: text }), few),
    dropCapabilities: fc.array(text, few),
    sysctls: fc.dictionary(text, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    logging: fc.record({ maxBytes: long, maxFiles: count }),
  },
  { requiredKeys: [] },
);

const tmpfs: fc.Arbitrary<TmpfsMount> = fc.record(
  { target: text, sizeBytes: long, mode: count, uid: count, gid: count, exec: fc.constant(true) },
  { requiredKeys: ["target"] },
);

const plainContainer = fc.record({
  name: text,
  image: text,
  /** An empty one clears the image's. */
  entrypoint: maybe(texts),
  command,
  env: labels,
  labels,
  workingDir: maybe(text),
  user: maybe(text),
  readOnly: fc.boolean(),
  stopSignal: maybe(text),
  ports: fc.array(fc.record({ containerPort: count, protocol, hostPort: maybe(count) }), { maxLength: 2 }),
  volumes: fc.array(mount, { maxLength: 2 }),
  tmpfs: fc.array(tmpfs, { maxLength: 2 }),
  resources: fc.record({
    cpuMillis: count,
    memoryBytes: long,
    pids: count,
    reserveCpuMillis: count,
    reserveMemoryBytes: long,
  }),
  health: maybe(fc.record({ probe, intervalMs: count, timeoutMs: count, retries: count, startPeriodMs: count })),
});

const container: fc.Arbitrary<ContainerSpec> = fc
  .tuple(plainContainer, options)
  .map(([plain, more]) => ({ ...plain, ...more }));

const plainSpec: fc.Arbitrary<DeploymentSpec> = fc.record({
  name: text,
  replicas: count,
  containers: fc.array(container, { maxLength: 2 }),
  placement: fc.record({
    strategy: fc.constantFrom<DeploymentSpec["placement"]["strategy"]>(
      "least-loaded",
      "round-robin",
      "resource-based",
      "spread",
    ),
    constraints: texts,
    maxPerNode: maybe(count),
    antiAffinity: texts,
  }),
  restart: fc.record({
    condition: fc.constantFrom<DeploymentSpec["restart"]["condition"]>("any", "on-failure", "none"),
    delayMs: count,
    maxDelayMs: count,
    maxAttempts: maybe(count),
    windowMs: count,
  }),
  update: fc.record({
    order: fc.constantFrom<DeploymentSpec["update"]["order"]>("start-first", "stop-first"),
    parallelism: count,
  }),
  stopGraceMs: count,
  exclusive: maybe(fc.boolean()),
  source: maybe(fc.record({ repository: text, branch: text })),
  project: maybe(text.filter(one => one !== "")),
  service: maybe(text.filter(one => one !== "")),
  dependsOn: fc.array(
    fc.record({
      name: text,
      condition: fc.constantFrom<DeploymentSpec["dependsOn"][number]["condition"]>("started", "healthy", "completed"),
      required: fc.boolean(),
    }),
    { maxLength: 2 },
  ),
  mode: fc.constantFrom<DeploymentSpec["mode"]>("replicated", "global", "replicated-job", "global-job"),
  job: maybe(fc.record({ maxConcurrent: maybe(count) })),
});

const network = fc.record({ name: text, aliases: texts, isInternal: fc.boolean() });

/** Any spec. */
export const spec: fc.Arbitrary<DeploymentSpec> = fc
  .tuple(plainSpec, fc.array(network, { maxLength: 2 }))
  .map(([plain, networks]) => (networks.length === 0 ? plain : { ...plain, networks }));

const port: fc.Arbitrary<PortBinding> = fc.record({ container: text, containerPort: count, protocol, hostPort: count });

const assigned: fc.Arbitrary<AssignedInstance> = fc.record({
  instanceId: text,
  tenantId: text,
  epoch: count,
  release: count,
  slot: count,
  desired: fc.constantFrom<AssignedInstance["desired"]>("run", "keep", "stop"),
  ports: fc.array(port, { maxLength: 2 }),
  spec,
  volumes: fc.array(fc.record({ owner: text.filter(one => one !== ""), name: text, serial: long }), { maxLength: 2 }),
});

/** Any assignment. */
export const assignment: fc.Arbitrary<Assignment> = fc.record({
  nodeId: text,
  incarnation: text,
  succeeds: texts,
  term: long,
  revision: long,
  stamps: fc.array(fc.integer({ min: 1, max: 0xffff_ffff }), { maxLength: 3 }),
  receipt: text.filter(one => one !== ""),
  availability: fc.constantFrom<Assignment["availability"]>("active", "pause", "drain"),
  instances: fc.array(assigned, { maxLength: 3 }),
  removals: fc.array(fc.record({ instanceId: text, epoch: count, because: text }), { maxLength: 2 }),
  volumeRemovals: fc.array(fc.record({ tenantId: text, owner: text, name: text, serial: long }), {
    maxLength: 2,
  }),
});

const containerStatus: fc.Arbitrary<ContainerStatus> = fc.record({
  name: text,
  id: text,
  imageId: text,
  running: fc.boolean(),
  exitCode: maybe(fc.integer()),
  restarts: count,
});

/** Any status of an instance. */
export const status: fc.Arbitrary<ReportedStatus> = fc.record({
  instanceId: text,
  epoch: recorded,
  state: fc.constantFrom(...INSTANCE_STATES),
  health: fc.constantFrom<ReportedStatus["health"]>("none", "starting", "healthy", "unhealthy"),
  containers: fc.array(containerStatus, { maxLength: 2 }),
  ports: fc.array(port, { maxLength: 2 }),
  message: text,
});

/** Any labels. */
export const anyLabels = labels;
