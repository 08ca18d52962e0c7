import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ContainerSpec,
  DeploymentSpec,
  HealthCheck,
  NetworkMembership,
  VolumeMount,
} from "@skep/core/model/deployment.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits, Resources } from "@skep/core/model/resources.ts";
import type {
  ContainerSpec as ContainerSpecMessage,
  ContainerSpecSchema,
  DeploymentSpec as DeploymentSpecMessage,
  DeploymentSpecSchema,
  HealthCheck as HealthCheckMessage,
  HealthCheckSchema,
  NetworkMembership as NetworkMembershipMessage,
  Resources as ResourcesMessage,
  VolumeMount as VolumeMountMessage,
} from "../gen/skep/v1/spec_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { optionsFromProto, optionsToProto } from "./container-options.ts";
import { fromUint64, toUint64 } from "./number.ts";
import {
  DEFAULT_PLACEMENT,
  DEFAULT_RESTART,
  DEFAULT_STOP_GRACE_MS,
  defaultOrder,
  defaultTiming,
} from "./spec-defaults.ts";
import {
  dependencyConditions,
  modes,
  protocols,
  restartConditions,
  strategies,
  updateOrders,
  volumeMoves,
} from "./words.ts";

/**
 * A spec as a message, with every default written out, so that readers of other versions see the
 * same.
 */
export function specToProto(spec: DeploymentSpec): MessageInitShape<typeof DeploymentSpecSchema> {
  return {
    name: spec.name,
    replicas: spec.replicas,
    containers: spec.containers.map(containerToProto),
    placement: {
      strategy: strategies.toProto(spec.placement.strategy),
      constraints: [...spec.placement.constraints],
      maxPerNode: spec.placement.maxPerNode,
      antiAffinity: [...spec.placement.antiAffinity],
    },
    restart: {
      condition: restartConditions.toProto(spec.restart.condition),
      delayMs: spec.restart.delayMs,
      maxDelayMs: spec.restart.maxDelayMs,
      maxAttempts: spec.restart.maxAttempts,
      windowMs: spec.restart.windowMs,
    },
    update: { order: updateOrders.toProto(spec.update.order), parallelism: spec.update.parallelism },
    stopGraceMs: spec.stopGraceMs,
    exclusive: spec.exclusive,
    ...(spec.source === undefined ? {} : { source: { ...spec.source } }),
    project: spec.project ?? "",
    service: spec.service ?? "",
    dependsOn: spec.dependsOn.map(one => ({ ...one, condition: dependencyConditions.toProto(one.condition) })),
    mode: modes.toProto(spec.mode),
    ...(spec.job === undefined ? {} : { job: { ...spec.job } }),
    networks: (spec.networks ?? []).map(({ name, aliases, isInternal }) => ({
      ...{ name, aliases: [...aliases], internal: isInternal },
    })),
  };
}

function containerToProto(container: ContainerSpec): MessageInitShape<typeof ContainerSpecSchema> {
  const { resources, health } = container;
  return {
    ...optionsToProto(container),
    name: container.name,
    image: container.image,
    entrypoint: [...(container.entrypoint ?? [])],
    clearEntrypoint: container.entrypoint?.length === 0,
    command: [...(container.command ?? [])],
    env: { ...container.env },
    labels: { ...container.labels },
    workingDir: container.workingDir,
    user: container.user,
    readOnly: container.readOnly,
    stopSignal: container.stopSignal,
    ports: container.ports.map(port => ({ ...port, protocol: protocols.toProto(port.protocol) })),
    volumes: container.volumes.map(({ isExternal, move, ...mount }) => ({
      ...mount,
      external: isExternal === true,
      ...(move === undefined ? {} : { move: volumeMoves.toProto(move) }),
    })),
    resources: {
      cpuMillis: resources.cpuMillis,
      memoryBytes: toUint64(resources.memoryBytes),
      pids: resources.pids,
      reserveCpuMillis: resources.reserveCpuMillis,
      reserveMemoryBytes: toUint64(resources.reserveMemoryBytes),
    },
    ...(health === undefined ? {} : { health: healthToProto(health) }),
  };
}

function healthToProto(health: HealthCheck): MessageInitShape<typeof HealthCheckSchema> {
  const { probe, ...timing } = health;
  switch (probe.kind) {
    case "docker":
      return { ...timing, probe: { case: "docker", value: { test: [...probe.test] } } };
    case "http":
      return { ...timing, probe: { case: "http", value: { port: probe.port, path: probe.path } } };
    case "tcp":
      return { ...timing, probe: { case: "tcp", value: { port: probe.port } } };
    case "image":
      return { ...saidTimes(timing), probe: { case: "image", value: {} } };
  }
}

/** 0 is what the image says, which a message says by leaving it out. */
function saidTimes(timing: Omit<HealthCheck, "probe">): Partial<Omit<HealthCheck, "probe">> {
  return Object.fromEntries(Object.entries(timing).filter(([, value]) => value !== 0));
}

function membershipFromProto({ name, aliases, internal }: NetworkMembershipMessage): NetworkMembership {
  return { name, aliases, isInternal: internal };
}

/**
 * A message as a spec, with the defaults of `spec-defaults.ts` filled in, and `limits` for a
 * container that says none: one that reserves more gets as much as it reserves. It checks the shape
 * only: what the values may be is said in spec.proto and in core.
 * @throws SkepError `invalid_argument` for enum values and probes that this version does not know.
 */
export function specFromProto(
  message: DeploymentSpecMessage,
  path = "spec",
  limits: Limits = DEFAULT_RESOURCES,
): DeploymentSpec {
  const { placement, restart, update } = message;
  const containers = message.containers.map((one, index) =>
    containerFromProto(one, `${path}.containers[${index}]`, limits),
  );
  return {
    name: message.name,
    replicas: message.replicas ?? 1,
    containers,
    placement: {
      strategy: strategies.fromProtoOr(
        placement?.strategy ?? 0,
        `${path}.placement.strategy`,
        DEFAULT_PLACEMENT.strategy,
      ),
      constraints: placement?.constraints ?? [],
      maxPerNode: placement?.maxPerNode,
      antiAffinity: placement?.antiAffinity ?? [],
    },
    restart: {
      condition: restartConditions.fromProtoOr(
        restart?.condition ?? 0,
        `${path}.restart.condition`,
        DEFAULT_RESTART.condition,
      ),
      delayMs: restart?.delayMs ?? DEFAULT_RESTART.delayMs,
      maxDelayMs: restart?.maxDelayMs ?? DEFAULT_RESTART.maxDelayMs,
      maxAttempts: restart?.maxAttempts,
      windowMs: restart?.windowMs ?? DEFAULT_RESTART.windowMs,
    },
    update: {
      order: updateOrders.fromProtoOr(update?.order ?? 0, `${path}.update.order`, defaultOrder(containers)),
      parallelism: update?.parallelism ?? 1,
    },
    stopGraceMs: message.stopGraceMs ?? DEFAULT_STOP_GRACE_MS,
    exclusive: message.exclusive,
    source:
      message.source === undefined
        ? undefined
        : { repository: message.source.repository, branch: message.source.branch },
    project: message.project === "" ? undefined : message.project,
    service: message.service === "" ? undefined : message.service,
    dependsOn: message.dependsOn.map(({ name, condition, required }, index) => ({
      name,
      condition: dependencyConditions.fromProtoOr(condition, `${path}.depends_on[${index}].condition`, "started"),
      required: required ?? true,
    })),
    mode: modes.fromProtoOr(message.mode, `${path}.mode`, "replicated"),
    job: message.job === undefined ? undefined : { maxConcurrent: message.job.maxConcurrent },
    ...(message.networks.length === 0 ? {} : { networks: message.networks.map(membershipFromProto) }),
  };
}

function containerFromProto(message: ContainerSpecMessage, path: string, limits: Limits): ContainerSpec {
  return {
    name: message.name,
    image: message.image,
    entrypoint: entrypointFromProto(message, path),
    command: message.command.length === 0 ? undefined : message.command,
    env: { ...message.env },
    labels: { ...message.labels },
    workingDir: message.workingDir,
    user: message.user,
    readOnly: message.readOnly,
    stopSignal: message.stopSignal,
    ports: message.ports.map((port, index) => ({
      containerPort: port.containerPort,
      protocol: protocols.fromProtoOr(port.protocol, `${path}.ports[${index}].protocol`, "tcp"),
      hostPort: port.hostPort,
    })),
    volumes: message.volumes.map((mount, index) => mountFromProto(mount, `${path}.volumes[${index}]`)),
    ...optionsFromProto(message, path),
    resources: resourcesFromProto(message.resources, `${path}.resources`, limits),
    health: message.health === undefined ? undefined : healthFromProto(message.health, `${path}.health`),
  };
}

function mountFromProto(message: VolumeMountMessage, path: string): VolumeMount {
  const { name, target, readOnly, project, external } = message;
  return {
    ...{ name, target, readOnly },
    ...(project === undefined ? {} : { project }),
    ...(external ? { isExternal: true } : {}),
    ...(volumeMoves.fromProtoOr(message.move, `${path}.move`, "wait") === "empty" ? { move: "empty" } : {}),
  };
}

function entrypointFromProto({ entrypoint, clearEntrypoint }: ContainerSpecMessage, path: string) {
  if (!clearEntrypoint) return entrypoint.length === 0 ? undefined : entrypoint;
  if (entrypoint.length === 0) return [];
  const problem = "is cleared and given at once";
  throw new SkepError("invalid_argument", "ENTRYPOINT_TWICE", `${path}.entrypoint ${problem}; send one of them.`, {
    issues: [{ path: `${path}.entrypoint`, problem, advice: "send entrypoint, or clear_entrypoint without it" }],
  });
}

function resourcesFromProto(message: ResourcesMessage | undefined, path: string, limits: Limits): Resources {
  const bytes = (value: bigint | undefined, field: string): number | undefined =>
    value === undefined ? undefined : fromUint64(value, `${path}.${field}`);
  const reserveCpuMillis = message?.reserveCpuMillis ?? DEFAULT_RESOURCES.reserveCpuMillis;
  const reserveMemoryBytes =
    bytes(message?.reserveMemoryBytes, "reserve_memory_bytes") ?? DEFAULT_RESOURCES.reserveMemoryBytes;
  return {
    cpuMillis: message?.cpuMillis ?? Math.max(limits.cpuMillis, reserveCpuMillis),
    memoryBytes: bytes(message?.memoryBytes, "memory_bytes") ?? Math.max(limits.memoryBytes, reserveMemoryBytes),
    pids: message?.pids ?? limits.pids,
    reserveCpuMillis,
    reserveMemoryBytes,
  };
}

function healthFromProto(message: HealthCheckMessage, path: string): HealthCheck {
  const probe = probeFromProto(message, path);
  const timing = defaultTiming(probe.kind);
  return {
    probe,
    intervalMs: message.intervalMs ?? timing.intervalMs,
    timeoutMs: message.timeoutMs ?? timing.timeoutMs,
    retries: message.retries ?? timing.retries,
    startPeriodMs: message.startPeriodMs ?? timing.startPeriodMs,
  };
}

function probeFromProto({ probe }: HealthCheckMessage, path: string): HealthCheck["probe"] {
  switch (probe.case) {
    case "docker":
      return { kind: "docker", test: probe.value.test };
    case "http":
      return { kind: "http", port: probe.value.port, path: probe.value.path };
    case "tcp":
      return { kind: "tcp", port: probe.value.port };
    case "image":
      return { kind: "image" };
    case undefined: {
      const problem = "names no probe that this version knows";
      throw new SkepError(
        "invalid_argument",
        "UNKNOWN_PROBE",
        `${path} ${problem}; it must be docker, http, tcp or image.`,
        {
          issues: [{ path, problem, advice: "give one of docker, http, tcp, image" }],
        },
      );
    }
  }
}
