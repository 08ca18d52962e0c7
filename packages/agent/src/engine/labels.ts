import { deploymentOf, tenantOf } from "@skep/core/model/instance-id.ts";
import { MANAGED_LABEL, type Labels } from "@skep/core/model/labels.ts";
import type { ContainerRole, ObservedVolume } from "@skep/core/model/observed.ts";
import type { VolumeRef } from "@skep/core/model/volume.ts";

import { parseSandboxName } from "./names.ts";

/**
 * The label keys that this agent writes and by which it finds its own containers; users may not
 * set any of them.
 */
export const LABEL = {
  tenant: "skep.tenant",
  deployment: "skep.deployment",
  instance: "skep.instance",
  epoch: "skep.epoch",
  release: "skep.release",
  container: "skep.container",
  role: "skep.role",
  /** That a copy may run only by a lease: its agent may know nothing else of it. */
  exclusive: "skep.exclusive",
  specHash: "skep.spec-hash",
  ports: "skep.ports",
  /** Whose a volume is. One without it is its deployment's. */
  volumeOwner: "skep.volume-owner",
  volume: "skep.volume",
  volumeSerial: "skep.volume-serial",
  /** Marks every container that belongs to a deployment, for tools that only know this mark. */
  managed: MANAGED_LABEL,
} as const;

/** The labels that say what a volume holds. */
export function volumeLabels(tenantId: string, volume: VolumeRef): Record<string, string> {
  return {
    [LABEL.tenant]: tenantId,
    [LABEL.volumeOwner]: volume.owner,
    [LABEL.volume]: volume.name,
    [LABEL.volumeSerial]: String(volume.serial),
  };
}

/** Reads what a volume holds from its labels; `undefined` where it is not ours. */
export function toObservedVolume(engineName: string, labels: Labels | null | undefined): ObservedVolume | undefined {
  const name = labels?.[LABEL.volume];
  const tenantId = labels?.[LABEL.tenant];
  const owner = labels?.[LABEL.volumeOwner] ?? labels?.[LABEL.deployment];
  if (name === undefined || tenantId === undefined || owner === undefined) return undefined;
  return { engineName, tenantId, owner, name, serial: wholeNumber(labels?.[LABEL.volumeSerial]) };
}

/** The identity of a container. */
export interface Identity {
  readonly tenantId: string;
  readonly deploymentId: string;
  readonly instanceId: string;
  readonly epoch: number;
  readonly release: number;
  /** The container's name in the spec; `""` for a sandbox. */
  readonly container: string;
  readonly role: ContainerRole;
  readonly specHash: string;
  readonly isExclusive: boolean;
}

/** The labels that identify a container. */
export function identityLabels(identity: Identity): Record<string, string> {
  return {
    [LABEL.tenant]: identity.tenantId,
    [LABEL.deployment]: identity.deploymentId,
    [LABEL.instance]: identity.instanceId,
    [LABEL.epoch]: String(identity.epoch),
    [LABEL.release]: String(identity.release),
    [LABEL.container]: identity.container,
    [LABEL.role]: identity.role,
    [LABEL.specHash]: identity.specHash,
    ...(identity.isExclusive ? { [LABEL.exclusive]: "true" } : {}),
    [LABEL.managed]: "true",
  };
}

/** The labels of a sandbox that may become any instance's: ours, and nobody's. */
export function warmLabels(specHash: string): Record<string, string> {
  return { [LABEL.instance]: "", [LABEL.role]: "sandbox", [LABEL.specHash]: specHash, [LABEL.managed]: "true" };
}

/** Whether a container is one of those. */
export function isWarmMade(labels: Labels): boolean {
  return labels[LABEL.instance] === "";
}

/**
 * Reads a container's identity from its labels, or from its name where it was made before anybody
 * needed it; `undefined` where it is not ours, or nobody's yet.
 */
export function identityOf(name: string, labels: Labels): Identity | undefined {
  if (!isWarmMade(labels)) return parseIdentity(labels);
  const taken = parseSandboxName(name);
  if (taken === undefined) return undefined;
  const deploymentId = deploymentOf(taken.instanceId);
  const whose = { ...taken, deploymentId, tenantId: tenantOf(deploymentId) };
  return { ...whose, container: "", role: "sandbox", specHash: labels[LABEL.specHash] ?? "", isExclusive: false };
}

/**
 * Reads a container's identity from its labels; `undefined` where it is not ours. A label that is
 * missing or spoilt (someone made the container by hand) becomes a value that matches no
 * assignment, so that such a container is seen and reported as a stranger rather than overlooked.
 */
function parseIdentity(labels: Labels): Identity | undefined {
  const instanceId = labels[LABEL.instance];
  if (instanceId === undefined || instanceId === "") return undefined;
  const deploymentId = labels[LABEL.deployment] ?? deploymentOf(instanceId);
  return {
    instanceId,
    tenantId: labels[LABEL.tenant] ?? tenantOf(deploymentId),
    deploymentId,
    epoch: count(labels[LABEL.epoch]),
    release: count(labels[LABEL.release]),
    container: labels[LABEL.container] ?? "",
    role: labels[LABEL.role] === "sandbox" ? "sandbox" : "app",
    specHash: labels[LABEL.specHash] ?? "",
    isExclusive: labels[LABEL.exclusive] === "true",
  };
}

/** An epoch or a release; one that no message and no record can hold is nobody's either. */
function count(text: string | undefined): number {
  const number = wholeNumber(text);
  return number < 2 ** 31 ? number : 0;
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : 0;
}
