import { SkepError } from "@skep/core/error.ts";
import { DROPPED_CAPABILITIES } from "@skep/core/model/capabilities.ts";
import { isSysctlValue, isUlimit, MOST_LOG_BYTES, SYSCTLS } from "@skep/core/model/container-options.ts";
import { isAddress } from "@skep/core/model/address.ts";
import { isEngineSocket, isKernelPath } from "@skep/core/model/validate-rules.ts";
import type { ContainerCreateOptions, HostConfig } from "dockerode";
import { LABEL } from "./labels.ts";
import { networkName } from "./names.ts";

/**
 * What no container of a tenant may have, whatever the scheduler says. The check reads the finished
 * options, the very object that goes to the engine, so that no other code in between can add what
 * this agent denies.
 */
export function refuseUnsafe(options: ContainerCreateOptions): void {
  const host: HostConfig = options.HostConfig ?? {};
  if (host.Privileged === true) deny("privileged", "the container asks for privileged mode");
  refuseMounts(host, options.Labels?.[LABEL.tenant] ?? "");
  refuseNamespaces(host, options.Labels ?? {});
  refuseCapabilities(host);
  if (some(host.Devices) || some(host.DeviceRequests) || some(host.DeviceCgroupRules)) {
    deny("devices", "the container asks for devices of the node");
  }
  for (const option of host.SecurityOpt ?? []) {
    if (option !== "no-new-privileges:true") deny("securityOpt", `the container sets the security option "${option}"`);
  }
  if (!(host.SecurityOpt ?? []).includes("no-new-privileges:true")) deny("securityOpt", "no-new-privileges is not set");
  refuseKernel(host);
  if (given(host.CgroupParent)) deny("cgroupParent", "the container chooses its own control group");
  if (given(host.Runtime)) deny("runtime", "the container chooses its own runtime");
  if (host.PublishAllPorts === true) deny("publishAllPorts", "the container publishes ports that nobody assigned");
  refuseUnlimited(host);
}

function refuseMounts(host: HostConfig, tenantId: string): void {
  if (some(host.Binds)) deny("binds", `the container binds paths of the node: ${String(host.Binds)}`);
  if (some(host.VolumesFrom)) deny("volumesFrom", "the container takes the volumes of another one");
  for (const mount of host.Mounts ?? []) {
    if (mount.Type !== "volume") deny("mounts", `the container mounts "${mount.Source}" of type ${mount.Type}`);
    if (!isVolumeOf(tenantId, mount.Source ?? "")) {
      deny("mounts", `the volume "${mount.Source}" is none of this tenant's`);
    }
    if (mount.VolumeOptions?.DriverConfig !== undefined && Object.keys(mount.VolumeOptions.DriverConfig).length > 0) {
      deny("mounts", `the volume "${mount.Source}" chooses a driver, which could reach the node's files`);
    }
    if (isEngineSocket(mount.Target)) deny("mounts", "the container asks for the engine's socket");
    if (covers(mount.Target)) deny("mounts", `the container covers the path "${mount.Target}"`);
  }
  for (const [target, words] of Object.entries((host.Tmpfs ?? {}) as Record<string, string>)) {
    if (covers(target)) deny("tmpfs", `the container covers the path "${target}"`);
    const odd = words.split(",").find(word => !/^(|size=\d+|mode=[0-7]{1,5}|uid=\d+|gid=\d+|exec)$/.test(word));
    if (odd !== undefined) deny("tmpfs", `the tmpfs at "${target}" has the option "${odd}"`);
  }
}

function refuseCapabilities(host: HostConfig): void {
  if (some(host.CapAdd)) deny("capAdd", `the container adds capabilities: ${String(host.CapAdd)}`);
  const drops: readonly string[] = host.CapDrop ?? [];
  const kept = drops.includes("ALL") ? [] : DROPPED_CAPABILITIES.filter(one => !drops.includes(one));
  if (kept.length > 0) deny("capDrop", `the container keeps the capabilities ${kept.join(", ")}`);
}

/** What reaches the kernel or the node besides: only what core knows to harm nobody else. */
function refuseKernel(host: HostConfig): void {
  for (const [name, value] of Object.entries(host.Sysctls ?? {}))
    if (!SYSCTLS.includes(name) || !isSysctlValue(String(value)))
      deny("sysctls", `the container sets the kernel parameter ${name} to "${String(value)}"`);
  for (const { Name: name = "", Soft: soft = -1, Hard: hard = -1 } of host.Ulimits ?? [])
    if (!isUlimit(name, soft) || !isUlimit(name, hard))
      deny("ulimits", `the container sets the limit ${name} to ${soft}:${hard}`);
  for (const line of host.ExtraHosts ?? [])
    if (!isAddress(line.slice(line.indexOf(":") + 1)))
      deny("extraHosts", `the container calls "${line}" by a name, which is no address`);
  if ((host.ShmSize ?? 0) < 0) deny("shmBytes", "the container asks for a /dev/shm of no size");
  refuseLogging(host.LogConfig);
}

/** What is written to the node's disk is bounded, and goes nowhere else. */
function refuseLogging(config: HostConfig["LogConfig"]): void {
  const { "max-size": size, "max-file": files, ...others } = config?.Config ?? {};
  if (config?.Type !== "json-file") deny("logging", `the container's output goes to "${config?.Type ?? ""}"`);
  if (Object.keys(others).length > 0) deny("logging", `the log has the options ${Object.keys(others).join(", ")}`);
  if (!(Number(size) * Number(files) <= MOST_LOG_BYTES)) deny("logging", `${files} files of ${size} bytes are kept`);
}

function refuseNamespaces(host: HostConfig, labels: Readonly<Record<string, string>>): void {
  const network = host.NetworkMode ?? "";
  const own = network === networkName(labels[LABEL.tenant] ?? "");
  const sandbox = /^container:[0-9a-f]{12,64}$/.test(network) && labels[LABEL.role] === "app";
  // Without a network nobody is reached; netd gives one to the sandbox later.
  const none = network === "none" && labels[LABEL.role] === "sandbox";
  if (!own && !sandbox && !none) deny("networkMode", `the container asks for the network "${network}"`);
  if (given(host.PidMode)) deny("pidMode", `the container asks for the process space "${host.PidMode}"`);
  if (given(host.IpcMode) && host.IpcMode !== "private")
    deny("ipcMode", `the container asks for the memory space "${host.IpcMode}"`);
  if (given(host.UTSMode)) deny("utsMode", "the container asks for the node's host name");
  if (given(host.UsernsMode)) deny("usernsMode", "the container leaves its user namespace");
}

function refuseUnlimited(host: HostConfig): void {
  if (!((host.NanoCpus ?? 0) > 0)) deny("resources.cpuMillis", "the container has no cpu limit");
  if (!((host.Memory ?? 0) > 0)) deny("resources.memoryBytes", "the container has no memory limit");
  if (host.MemorySwap !== host.Memory)
    deny("resources.memoryBytes", "the container may use swap beyond its memory limit");
  if (!((host.PidsLimit ?? 0) > 0)) deny("resources.pids", "the container has no limit on processes");
  if (host.OomKillDisable === true) deny("oomKillDisable", "the container asks never to be killed for memory");
}

/** A tenant's id has no dot, so that no other one's names begin like this. */
function isVolumeOf(tenantId: string, name: string): boolean {
  const prefix = `skep-${tenantId}.`;
  return tenantId !== "" && name.startsWith(prefix) && /^[a-zA-Z0-9_.-]+$/.test(name.slice(prefix.length));
}

/** The API refuses the same; what is no path at all is not looked into either. */
function covers(target: string): boolean {
  return target === "" || target.includes("..") || isKernelPath(target);
}

function some(list: readonly unknown[] | null | undefined): boolean {
  return (list?.length ?? 0) > 0;
}

function given(text: string | undefined): boolean {
  return text !== undefined && text !== "";
}

/**
 * @throws SkepError always: `permission_denied`, reason `CONTAINER_REFUSED`, the field in
 * `details.field`.
 */
export function deny(field: string, because: string): never {
  throw new SkepError(
    "permission_denied",
    "CONTAINER_REFUSED",
    `This node refuses to make the container: ${because} (${field}). Take it out of the deployment's spec.`,
    { details: { field } },
  );
}
