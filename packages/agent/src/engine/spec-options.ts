import { DROPPED_CAPABILITIES } from "@skep/core/model/capabilities.ts";
import { DEFAULT_LOGGING } from "@skep/core/model/container-options.ts";
import type { LogLimits, NetworkOptions, TmpfsMount } from "@skep/core/model/container-options.ts";
import type { ContainerSpec } from "@skep/core/model/deployment.ts";
import type { ContainerCreateOptions, HostConfig } from "dockerode";

/**
 * What a container of a spec asks of the engine besides its program, in the engine's words. Its
 * network is not among it: of a pod the sandbox has that.
 */
export function specHostConfig(container: ContainerSpec): HostConfig {
  const { init, shmBytes, ulimits, dropCapabilities = [], readOnly, tmpfs } = container;
  const drops = dropCapabilities.includes("ALL") ? ["ALL"] : [...DROPPED_CAPABILITIES, ...dropCapabilities];
  return {
    CapDrop: drops,
    ReadonlyRootfs: readOnly,
    Tmpfs: Object.fromEntries(tmpfs.map(mount => [mount.target, tmpfsWords(mount)])),
    LogConfig: logConfig(container.logging),
    ...(init === undefined ? {} : { Init: init }),
    ...(shmBytes === undefined ? {} : { ShmSize: shmBytes }),
    ...(ulimits === undefined
      ? {}
      : { Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })) }),
  };
}

/** What a container's network is given besides. */
export function networkHostConfig({ extraHosts, sysctls }: NetworkOptions): HostConfig {
  return {
    ...(extraHosts === undefined ? {} : { ExtraHosts: extraHosts.map(({ name, address }) => `${name}:${address}`) }),
    ...(sysctls === undefined ? {} : { Sysctls: { ...sysctls } }),
  };
}

/** Its own names; without a host name it is called otherwise, or as the engine likes. */
export function networkNames(
  { hostname, domainname }: NetworkOptions,
  otherwise?: string,
): Pick<ContainerCreateOptions, "Hostname" | "Domainname"> {
  const name = hostname ?? otherwise;
  return {
    ...(name === undefined ? {} : { Hostname: name }),
    ...(domainname === undefined ? {} : { Domainname: domainname }),
  };
}

/** The engine adds noexec, nosuid and nodev, unless they are taken back. */
function tmpfsWords({ sizeBytes, mode, uid, gid, exec }: TmpfsMount): string {
  return [
    ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`]),
    ...(mode === undefined ? [] : [`mode=${mode.toString(8)}`]),
    ...(uid === undefined ? [] : [`uid=${uid}`]),
    ...(gid === undefined ? [] : [`gid=${gid}`]),
    ...(exec === true ? ["exec"] : []),
  ].join(",");
}

/** A container's output is bounded, so that a chatty tenant cannot fill the node's disk. */
export function logConfig({ maxBytes, maxFiles }: LogLimits = DEFAULT_LOGGING): HostConfig["LogConfig"] {
  return { Type: "json-file", Config: { "max-size": String(maxBytes), "max-file": String(maxFiles) } };
}
