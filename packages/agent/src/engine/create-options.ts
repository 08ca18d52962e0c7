import { isReservedLabel } from "@skep/core/model/labels.ts";
import { deploymentOf } from "@skep/core/model/instance-id.ts";
import { isReservedPort } from "@skep/core/model/host-ports.ts";
import type { ContainerSpec, EngineProbe, HealthCheck, VolumeMount } from "@skep/core/model/deployment.ts";
import type { NetworkOptions } from "@skep/core/model/container-options.ts";
import { isEngineProbe } from "@skep/core/model/deployment.ts";
import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { PortBinding } from "@skep/core/model/instance.ts";
import { isLeased, mountOwner } from "@skep/core/model/volume.ts";
import type { ContainerCreateOptions, HealthConfig, HostConfig, MountSettings } from "dockerode";
import type { CreateContainer, CreateSandbox, CreateWarm } from "./engine.ts";
import { identityLabels, LABEL, volumeLabels, warmLabels } from "./labels.ts";
import { containerName, instanceHostname, networkName, sandboxName, volumeName } from "./names.ts";
import { formatPorts } from "./ports.ts";
import { deny, refuseUnsafe } from "./refusals.ts";
import { logConfig, networkHostConfig, networkNames, specHostConfig } from "./spec-options.ts";

/** As the engine takes it: it makes a volume without a driver by its own. */
type Mount = Omit<MountSettings, "VolumeOptions"> & { VolumeOptions: { Labels: Record<string, string> } };

/** Every node's own end of its instances' network, where names are answered. */
const NETD_ADDRESS = "169.254.1.1";

/** A sandbox only sleeps: enough for a small program, too little to be of use to anybody else. */
const SANDBOX_LIMITS = { cpuMillis: 100, memoryBytes: 32 * 1024 * 1024, pids: 16 };

/**
 * The engine's options for a container of the spec. An init is added only where the spec asks for
 * it: images that bring one refuse to run as anything but the first process. @throws SkepError
 * `permission_denied` for what no tenant may have, naming the field.
 */
export function toCreateOptions(request: CreateContainer, node: { readonly hostname: string }): ContainerCreateOptions {
  const { instance, container, sandboxId } = request;
  const alone = sandboxId === undefined;
  const isPublisher = alone || request.network === "netd";
  const ports = isPublisher ? instance.ports.filter(port => port.container === container.name) : [];
  const options: ContainerCreateOptions = {
    name: containerName(instance.instanceId, instance.epoch, container.name),
    Image: container.image,
    Env: environment(instance, container, node.hostname),
    Labels: { ...userLabels(container), ...identity(instance, container.name, "app", request.specHash, ports) },
    StopTimeout: Math.ceil(instance.spec.stopGraceMs / 1000),
    HostConfig: {
      ...hostConfig(container.resources),
      ...specHostConfig(container),
      Mounts: container.volumes.map(mount => toMount(instance, mount)) as MountSettings[],
      NetworkMode: alone ? networkName(instance.tenantId) : `container:${sandboxId}`,
    },
    ...(container.entrypoint === undefined ? {} : { Entrypoint: [...container.entrypoint] }),
    ...(container.command === undefined ? {} : { Cmd: [...container.command] }),
    ...(container.workingDir === undefined ? {} : { WorkingDir: container.workingDir }),
    ...(container.user === undefined ? {} : { User: container.user }),
    ...(container.stopSignal === undefined ? {} : { StopSignal: container.stopSignal }),
    ...healthcheck(container.health),
  };
  if (alone) joinNetwork(options, instance, ports, container);
  refuseUnsafe(options);
  return options;
}

function toMount(instance: AssignedInstance, mount: VolumeMount): Mount {
  const { name, target, readOnly } = mount;
  const { tenantId, spec } = instance;
  const owner = mountOwner(tenantId, spec, mount);
  const volume = instance.volumes.find(one => one.owner === owner && one.name === name);
  if (volume === undefined) return deny("volumes", `nobody said which volume ${name} is meant`);
  return {
    Type: "volume",
    Source: volumeName(volume),
    Target: target,
    ReadOnly: readOnly,
    // An engine that does not know the volume yet makes it with these labels.
    VolumeOptions: { Labels: volumeLabels(tenantId, volume) },
  };
}

/**
 * The engine's options for a sandbox that any instance may have: its network is netd's affair, and
 * its name alone says whose it is. Names are asked of netd only, without the node's search domains.
 */
export function toWarmOptions(
  { image, specHash }: CreateWarm,
  name: string,
  network: NetworkOptions = {},
): ContainerCreateOptions {
  const options: ContainerCreateOptions = {
    name,
    ...networkNames(network),
    Image: image,
    Labels: warmLabels(specHash),
    StopTimeout: 1,
    HostConfig: {
      ...hostConfig(SANDBOX_LIMITS),
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      ...networkHostConfig(network),
      NetworkMode: "none",
      Dns: [NETD_ADDRESS],
      DnsSearch: ["."],
    },
  };
  refuseUnsafe(options);
  return options;
}

/** The engine's options for a sandbox; on a bridge it bears address, name and host ports. */
export function toSandboxOptions(request: CreateSandbox): ContainerCreateOptions {
  const { instance, network } = request;
  const { instanceId, epoch, release } = instance;
  const asked = instance.spec.containers[0] ?? {};
  if (network === "netd") return toWarmOptions(request, sandboxName(instanceId, epoch, release), asked);
  const options: ContainerCreateOptions = {
    name: containerName(instance.instanceId, instance.epoch, ""),
    Image: request.image,
    Labels: identity(instance, "", "sandbox", request.specHash, instance.ports),
    StopTimeout: 1,
    HostConfig: {
      ...hostConfig(SANDBOX_LIMITS),
      CapDrop: ["ALL"],
      ReadonlyRootfs: true,
      NetworkMode: networkName(instance.tenantId),
    },
  };
  joinNetwork(options, instance, instance.ports, asked);
  refuseUnsafe(options);
  return options;
}

function hostConfig(limits: {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly pids: number;
}): HostConfig {
  return {
    NanoCpus: limits.cpuMillis * 1_000_000,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    PidsLimit: limits.pids,
    SecurityOpt: ["no-new-privileges:true"],
    IpcMode: "private",
    LogConfig: logConfig(),
    // The agent supervises: two supervisors would start a container twice and disagree about its
    // backoff.
    RestartPolicy: { Name: "no" },
  };
}

function joinNetwork(
  options: ContainerCreateOptions,
  instance: AssignedInstance,
  ports: readonly PortBinding[],
  network: NetworkOptions,
): void {
  Object.assign(options, networkNames(network, instanceHostname(instance.instanceId)));
  options.ExposedPorts = Object.fromEntries(ports.map(port => [`${port.containerPort}/${port.protocol}`, {}]));
  options.HostConfig = { ...options.HostConfig, ...networkHostConfig(network), PortBindings: bindings(ports) };
  // Neighbours of the same tenant on this node find a deployment by its name, and by that of its
  // service.
  const { name, service } = instance.spec;
  const Aliases = service === undefined ? [name] : [name, service];
  options.NetworkingConfig = { EndpointsConfig: { [networkName(instance.tenantId)]: { Aliases } } };
}

function bindings(ports: readonly PortBinding[]): Record<string, { HostPort: string }[]> {
  const byPort: Record<string, { HostPort: string }[]> = {};
  for (const port of ports) {
    if (!(port.hostPort >= 1 && port.hostPort <= 65_535))
      deny("ports", `the host port ${port.hostPort} does not exist`);
    if (isReservedPort(port.hostPort))
      deny("ports", `the host port ${port.hostPort} is the machine's or the platform's`);
    (byPort[`${port.containerPort}/${port.protocol}`] ??= []).push({ HostPort: String(port.hostPort) });
  }
  return byPort;
}

function environment(instance: AssignedInstance, container: ContainerSpec, hostname: string): string[] {
  const ours = { SKEP_INSTANCE_ID: instance.instanceId, SKEP_NODE: hostname, SKEP_TENANT: instance.tenantId };
  return Object.entries({ ...container.env, ...ours }).map(([key, value]) => `${key}=${value}`);
}

function userLabels(container: ContainerSpec): Record<string, string> {
  for (const key of Object.keys(container.labels)) {
    if (isReservedLabel(key)) deny("labels", `the label "${key}" belongs to the platform`);
  }
  return { ...container.labels };
}

function identity(
  instance: AssignedInstance,
  container: string,
  role: "app" | "sandbox",
  specHash: string,
  ports: readonly PortBinding[],
): Record<string, string> {
  const { instanceId, tenantId, epoch, release } = instance;
  const labels = identityLabels({
    tenantId,
    deploymentId: deploymentOf(instance.instanceId),
    instanceId,
    epoch,
    release,
    container,
    role,
    specHash,
    isExclusive: isLeased(instance.spec),
  });
  return { ...labels, [LABEL.ports]: formatPorts(ports) };
}

function healthcheck(health: HealthCheck | undefined): { Healthcheck?: HealthConfig } {
  if (health === undefined) return {};
  // A probe of the agent's own replaces the image's check: two verdicts on one container help
  // nobody.
  if (!isEngineProbe(health.probe)) return { Healthcheck: { Test: ["NONE"] } };
  return {
    Healthcheck: {
      ...testOf(health.probe),
      Interval: nanoseconds(health.intervalMs),
      Timeout: nanoseconds(health.timeoutMs),
      StartPeriod: nanoseconds(health.startPeriodMs),
      Retries: health.retries,
    },
  };
}

/** Without a test the engine takes the image's own, and the image's figure for each that is 0. */
function testOf(probe: EngineProbe): HealthConfig {
  if (probe.kind === "image") return {};
  const [word] = probe.test;
  const isComplete = word === "CMD" || word === "CMD-SHELL" || word === "NONE";
  return { Test: isComplete ? [...probe.test] : ["CMD", ...probe.test] };
}

function nanoseconds(ms: number): number {
  return Math.round(ms) * 1_000_000;
}
