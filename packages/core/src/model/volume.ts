import type { DeploymentId, DeploymentSpec } from "./deployment.ts";
import type { NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";

/**
 * A named volume of a deployment as an assignment names it; `serial` tells it from others of that
 * name.
 */
export interface VolumeRef {
  readonly name: string;
  readonly serial: number;
}

/**
 * The record of which node holds a named volume of a deployment. It outlives instances and the
 * deployment itself, and goes only when a person says so or its tenant ends.
 */
export interface Volume extends VolumeRef {
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  readonly nodeId: NodeId;
  readonly createdAt: number;
  /**
   * When an agent last saw a container mount it; the time of its making before that, and 0 where
   * nobody knows either.
   */
  readonly usedAt: number;
  /** `removing`: its data is to go; the record stays until the node has said that it is gone. */
  readonly state: "kept" | "removing";
}

/** A volume that an agent found on its engine. */
export interface ReportedVolume extends VolumeRef {
  readonly tenantId: TenantId;
  readonly deploymentId: DeploymentId;
  /** Whether a container mounts it, running or not. */
  readonly inUse: boolean;
}

/** Specs never change, and each look at the world asks about all of them. */
const known = new WeakMap<DeploymentSpec, readonly string[]>();

/** The names of the volumes that a spec mounts, each once and in order. */
export function volumeNames(spec: DeploymentSpec): readonly string[] {
  let names = known.get(spec);
  if (names === undefined) {
    names = [...new Set(spec.containers.flatMap(container => container.volumes.map(volume => volume.name)))].sort();
    known.set(spec, names);
  }
  return names;
}

/**
 * Whether at most one copy of the spec may run at a time: it says so, or it has one replica and a
 * named volume, whose data two writers would spoil.
 */
export function isSingle(spec: DeploymentSpec): boolean {
  return spec.exclusive ?? (spec.replicas <= 1 && volumeNames(spec).length > 0);
}

/**
 * Whether its agent needs a lease to run a copy. Only what says so itself does: a copy that a
 * volume keeps on one node needs none, and must not stop because the control plane is away.
 */
export function isLeased(spec: DeploymentSpec): boolean {
  return spec.exclusive === true;
}

/**
 * Which volumes of one deployment the containers on a node mount: of each name the one that was
 * used last, and of equals the later one. There are several of a name only where the records were
 * restored; the one that a container has stays, and goes on being the last used.
 */
export function mountedVolumes(kept: readonly Volume[]): readonly Volume[] {
  const chosen = new Map<string, Volume>();
  for (const volume of kept) {
    const other = chosen.get(volume.name);
    const isLater =
      other === undefined ||
      volume.usedAt > other.usedAt ||
      (volume.usedAt === other.usedAt && volume.serial > other.serial);
    if (isLater) chosen.set(volume.name, volume);
  }
  return [...chosen.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Key of a volume among all that were ever made. */
export function volumeKey({
  deploymentId,
  name,
  serial,
  nodeId,
}: Pick<Volume, "deploymentId" | "name" | "serial" | "nodeId">): string {
  return `${deploymentId}/${name}.${serial}@${nodeId}`;
}
