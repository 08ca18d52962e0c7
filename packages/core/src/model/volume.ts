import type { DeploymentSpec, VolumeMount } from "./deployment.ts";
import type { NodeId } from "./node.ts";
import type { TenantId } from "./tenant.ts";
import { deploymentIdOf } from "./instance-id.ts";

/**
 * Whose a volume is, as text: a project, `<tenant>/<project>`; a deployment of no project, its id
 * `<tenant>.<name>`; or the tenant itself, for a volume that all of its projects find by its name.
 */
export type VolumeOwner = string;

/** A volume as an assignment names it; `serial` tells it from others of that owner and name. */
export interface VolumeRef {
  readonly owner: VolumeOwner;
  readonly name: string;
  readonly serial: number;
}

/**
 * The record of which node holds a named volume. It outlives instances, deployments and the project
 * itself, and goes only when a person says so or its tenant ends.
 */
export interface Volume extends VolumeRef {
  readonly tenantId: TenantId;
  readonly nodeId: NodeId;
  readonly createdAt: number;
  /**
   * When an agent last saw a container mount it; the time of its making before that, and 0 where
   * nobody knows either.
   */
  readonly usedAt: number;
  /**
   * `left`: its node went away, and what mounted it began empty elsewhere because its spec says so;
   * the data stays where it is. `removing`: its data is to go; the record stays until the node has
   * said that it is gone.
   */
  readonly state: "kept" | "left" | "removing";
}

/** A volume that an agent found on its engine. */
export interface ReportedVolume extends VolumeRef {
  readonly tenantId: TenantId;
  /** Whether a container mounts it, running or not. */
  readonly inUse: boolean;
}

/** A volume that a spec mounts. */
export interface MountedVolume {
  readonly owner: VolumeOwner;
  readonly name: string;
  /** Only one that is there already will do: none is made. */
  readonly isExternal: boolean;
  /** Whether it may be begun empty on another node while its own is away. */
  readonly mayMoveEmpty: boolean;
}

/** The owner of the volumes that a spec calls its own. */
export function ownerOf(tenantId: TenantId, { project, name }: Pick<DeploymentSpec, "project" | "name">): VolumeOwner {
  return project === undefined ? deploymentIdOf(tenantId, name) : `${tenantId}/${project}`;
}

/** The owner of the volume of one mount: the spec's own, another project, or the tenant. */
export function mountOwner(tenantId: TenantId, spec: DeploymentSpec, { project }: VolumeMount): VolumeOwner {
  if (project === undefined) return ownerOf(tenantId, spec);
  return project === "" ? tenantId : `${tenantId}/${project}`;
}

/** The tenant of an owner. */
export function tenantOfOwner(owner: VolumeOwner): TenantId {
  return /^[^./]*/.exec(owner)?.[0] ?? "";
}

/** The project of an owner; `undefined` where it is none. */
export function projectOfOwner(owner: VolumeOwner): string | undefined {
  const at = owner.indexOf("/");
  return at < 0 ? undefined : owner.slice(at + 1);
}

/** Specs never change, and each look at the world asks about all of them. */
const known = new WeakMap<
  DeploymentSpec,
  { readonly tenantId: TenantId; readonly volumes: readonly MountedVolume[] }
>();
const NONE: readonly MountedVolume[] = [];

/** The volumes that a spec mounts, each once and in order. */
export function volumesOf(tenantId: TenantId, spec: DeploymentSpec): readonly MountedVolume[] {
  if (!hasVolumes(spec)) return NONE;
  const found = known.get(spec);
  if (found?.tenantId === tenantId) return found.volumes;
  const byKey = new Map<string, MountedVolume>();
  for (const { volumes } of spec.containers)
    for (const mount of volumes) {
      const owner = mountOwner(tenantId, spec, mount);
      const key = mountKey({ owner, name: mount.name });
      const isExternal = mount.isExternal === true;
      const mayMoveEmpty = mount.move === "empty";
      const other = byKey.get(key);
      byKey.set(key, {
        ...{ owner, name: mount.name, isExternal: isExternal || other?.isExternal === true },
        // One mount that needs the data keeps it for all.
        mayMoveEmpty: mayMoveEmpty && other?.mayMoveEmpty !== false,
      });
    }
  const volumes = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, volume]) => volume);
  known.set(spec, { tenantId, volumes });
  return volumes;
}

/** Whether the spec mounts any volume. */
export function hasVolumes(spec: DeploymentSpec): boolean {
  return spec.containers.some(container => container.volumes.length > 0);
}

/**
 * Whether at most one copy of the spec may run at a time: it says so, or it has one replica and a
 * named volume, whose data two writers would spoil. Another deployment that mounts the same volume
 * is no copy: the file that lets both mount it means that.
 */
export function isSingle(spec: DeploymentSpec): boolean {
  return spec.exclusive ?? (spec.replicas <= 1 && hasVolumes(spec));
}

/**
 * Whether its agent needs a lease to run a copy. Only what says so itself does: a copy that a
 * volume keeps on one node needs none, and must not stop because the control plane is away.
 */
export function isLeased(spec: DeploymentSpec): boolean {
  return spec.exclusive === true;
}

/**
 * Which of these volumes the containers on a node mount: of each owner and name the one that was
 * used last, and of equals the later one. There are several of a name only where the records were
 * restored; the one that a container has stays, and goes on being the last used.
 */
export function mountedVolumes(kept: readonly Volume[]): readonly Volume[] {
  const chosen = new Map<string, Volume>();
  for (const volume of kept) {
    const key = mountKey(volume);
    const other = chosen.get(key);
    const isLater =
      other === undefined ||
      volume.usedAt > other.usedAt ||
      (volume.usedAt === other.usedAt && volume.serial > other.serial);
    if (isLater) chosen.set(key, volume);
  }
  return [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, volume]) => volume);
}

/** What a mount asks for: to it volumes of one owner and name differ in their serials alone. */
export function mountKey({ owner, name }: Pick<Volume, "owner" | "name">): string {
  return `${owner}/${name}`;
}

/** Key of a volume among all that were ever made. */
export function volumeKey({
  owner,
  name,
  serial,
  nodeId,
}: Pick<Volume, "owner" | "name" | "serial" | "nodeId">): string {
  return `${owner}/${name}.${serial}@${nodeId}`;
}
