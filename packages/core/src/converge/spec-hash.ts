import type { AssignedInstance } from "../model/assignment.ts";
import { networkOptionsOf } from "../model/container-options.ts";
import type { ContainerSpec } from "../model/deployment.ts";
import { mountKey, mountOwner } from "../model/volume.ts";

/** Goes up when the agent makes containers in a new way, which makes every container anew. */
const HASH_VERSION = "2";

interface Hashed {
  readonly sandboxId: string | undefined;
  readonly hash: string;
}

/**
 * The last answer per instance and container: every call of `converge` asks twice for each, and
 * specs are never edited.
 */
const hashed = new WeakMap<AssignedInstance, WeakMap<ContainerSpec, Hashed>>();

/**
 * Hash of everything that a container of the spec is made from. In a pod the sandbox is part of it:
 * a container that joined another sandbox has no network any more. What it is given must never be
 * changed afterwards.
 */
export function containerHash(
  instance: AssignedInstance,
  container: ContainerSpec,
  sandboxId: string | undefined,
): string {
  const ofInstance = hashed.get(instance) ?? new WeakMap<ContainerSpec, Hashed>();
  hashed.set(instance, ofInstance);
  const known = ofInstance.get(container);
  if (known !== undefined && known.sandboxId === sandboxId) return known.hash;
  const hash = computeHash(instance, container, sandboxId);
  ofInstance.set(container, { sandboxId, hash });
  return hash;
}

function computeHash(instance: AssignedInstance, container: ContainerSpec, sandboxId: string | undefined): string {
  const ports = sandboxId === undefined ? instance.ports.filter(port => port.container === container.name) : [];
  const { tenantId, spec } = instance;
  const mounted = new Set(
    container.volumes.map(mount => mountKey({ owner: mountOwner(tenantId, spec, mount), name: mount.name })),
  );
  const volumes = instance.volumes.filter(volume => mounted.has(mountKey(volume)));
  const from = [identityOf(instance), container, ports, sandboxId ?? "", instance.spec.stopGraceMs, volumes];
  return hashText(canonicalText([HASH_VERSION, ...from]));
}

const sandboxes = new WeakMap<AssignedInstance, string>();

/**
 * Hash of what a sandbox is made from. Its image is left out: a new agent brings a new one, and
 * pods outlive agents.
 */
export function sandboxHash(instance: AssignedInstance): string {
  let hash = sandboxes.get(instance);
  if (hash === undefined) {
    const network = networkOptionsOf(instance.spec.containers[0] ?? {});
    const from = [HASH_VERSION, identityOf(instance), instance.ports, ...(network === undefined ? [] : [network])];
    hash = hashText(canonicalText(from));
    sandboxes.set(instance, hash);
  }
  return hash;
}

/**
 * Hash of what a sandbox on netd's network is made from, which is nothing of the instance: so one
 * that was made ahead fits. Address and ports are netd's affair.
 */
export const PLAIN_SANDBOX = hashText(canonicalText(["netd", 1]));

/**
 * Hash of the sandbox on netd's network that the instance is to have: none that was made ahead fits
 * one that says something of its network, such as a host name.
 */
export function netdSandboxHash({ spec }: AssignedInstance): string {
  const network = networkOptionsOf(spec.containers[0] ?? {});
  return network === undefined ? PLAIN_SANDBOX : hashText(canonicalText(["netd", 1, network]));
}

/** JSON with sorted keys and without absent fields, so that equal values have equal texts. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value !== null && typeof value === "object") {
    let fields = "";
    for (const key of Object.keys(value).sort()) {
      const field = (value as Readonly<Record<string, unknown>>)[key];
      if (field === undefined) continue;
      fields += `${fields === "" ? "" : ","}${JSON.stringify(key)}:${canonicalText(field)}`;
    }
    return `{${fields}}`;
  }
  return JSON.stringify(value) ?? "null";
}

/**
 * 64 bits of FNV-1a, as 16 hexadecimal digits: enough to notice a difference, and the same
 * everywhere for ever. It is computed in four limbs of 16 bits, since numbers here are exact only
 * up to 53 bits.
 */
export function hashText(text: string): string {
  // The offset basis cbf29ce484222325 and the prime 100000001b3, limb by limb from the lowest.
  let [a, b, c, d] = [0x2325, 0x8422, 0x9ce4, 0xcbf2];
  const mix = (byte: number): void => {
    a ^= byte;
    const low = a * 0x1b3;
    const second = b * 0x1b3 + (low >>> 16);
    const third = c * 0x1b3 + (a << 8) + (second >>> 16);
    const fourth = d * 0x1b3 + (b << 8) + (third >>> 16);
    a = low & 65535;
    b = second & 65535;
    c = third & 65535;
    d = fourth & 65535;
  };
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    mix(unit < 128 ? unit : unit & 255);
    if (unit >= 128) mix(unit >> 8);
  }
  return [d, c, b, a].map(limb => limb.toString(16).padStart(4, "0")).join("");
}

function identityOf({ instanceId, tenantId, epoch, release }: AssignedInstance): readonly (string | number)[] {
  return [instanceId, tenantId, epoch, release];
}
