import type { VolumeRef } from "@skep/core/model/volume.ts";
import { hash } from "node:crypto";

/** Name of a tenant's bridge network on a node. */
export function networkName(tenantId: string): string {
  return `skep-${tenantId}`;
}

/**
 * Name of the kernel's bridge of a tenant: at most 15 characters, the same on every node and after
 * every restart.
 */
export function bridgeName(tenantId: string): string {
  return `skep${shortHash(tenantId, 11)}`;
}

/**
 * Name of a container: readable, and unique per instance, epoch and container, so that a repeated
 * create meets the first one rather than making a second. The epoch is part of it because an old
 * copy may still be going.
 */
export function containerName(instanceId: string, epoch: number, container: string): string {
  const instance = `skep-${instanceId}-e${epoch}`;
  return container === "" ? instance : `${instance}-${container}`;
}

/**
 * Name of a sandbox on netd's network. It is all that says whose it is: labels cannot change, and
 * sandboxes are made before anybody needs one.
 */
export function sandboxName(instanceId: string, epoch: number, release: number): string {
  return `skep-${instanceId}-e${epoch}.r${release}`;
}

/** What `sandboxName` says; `undefined` for any other name. */
export function parseSandboxName(
  name: string,
): { readonly instanceId: string; readonly epoch: number; readonly release: number } | undefined {
  const [, instanceId = "", epoch = "", release = ""] = /^skep-(.+)-e(\d{1,9})\.r(\d{1,9})$/.exec(name) ?? [];
  return instanceId === "" ? undefined : { instanceId, epoch: Number(epoch), release: Number(release) };
}

/** Name of a sandbox that is nobody's yet. */
export function warmName(serial: string): string {
  return `skep-warm-${serial}`;
}

/**
 * Name of a volume on the engine: tenant, project or deployment, name and serial, with nothing
 * between two dots where it is the tenant's own. Its serial never comes again, so nobody finds the
 * data of an earlier one.
 */
export function volumeName({ owner, name, serial }: VolumeRef): string {
  const whose = /[./]/.test(owner) ? owner.replace("/", ".") : `${owner}.`;
  return `skep-${whose}.${name}.${serial}`;
}

/**
 * Host name inside a container: the instance's name in letters that DNS takes, at most 63 of them.
 */
export function instanceHostname(instanceId: string): string {
  const name = instanceId.toLowerCase().replace(/[^a-z0-9-]+/g, "-");
  return name.length <= 63 ? name : `${name.slice(0, 52)}-${shortHash(instanceId, 10)}`;
}

function shortHash(text: string, length: number): string {
  return hash("sha256", text, "hex").slice(0, length);
}
