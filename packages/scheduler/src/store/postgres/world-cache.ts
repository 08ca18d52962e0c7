import { specFromStored } from "@skep/api/codec/stored/spec.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Deployment, DeploymentSpec, Release } from "@skep/core/model/deployment.ts";
import type { Instance, Location, ReleasedPort } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Tenant } from "@skep/core/model/tenant.ts";
import { toDeployment, toInstance, toLocation, toNode, toReleasedPort, toTenant, toVolume } from "./rows.ts";
import type {
  DeploymentRow,
  InstanceRow,
  LocationRow,
  NodeRow,
  ReleasedPortRow,
  TenantRow,
  VolumeRow,
} from "./tables.ts";

/**
 * A release as the world names it: its spec never changes and is the bulk of a world, so it comes
 * once, under `uid`.
 */
export interface NamedRelease {
  readonly deployment_id: string;
  readonly number: number;
  /** No two releases ever share it. */
  readonly uid: number;
}

/** The records of a world, or of what changed in it. */
export interface WorldRows {
  readonly tenants: readonly TenantRow[];
  readonly nodes: readonly NodeRow[];
  readonly deployments: readonly DeploymentRow[];
  /** All that are in use of each deployment that is named, by itself or by one of its instances. */
  readonly releases: readonly NamedRelease[];
  readonly specs: readonly { readonly uid: number; readonly spec: unknown }[];
  readonly instances: readonly InstanceRow[];
  /** All of each instance that is named. */
  readonly locations: readonly LocationRow[];
  /** All of each node that is named. */
  readonly released_ports: readonly ReleasedPortRow[];
  readonly volumes: readonly VolumeRow[];
  readonly placements: number;
}

/**
 * What changed: `kind` is that of `world_changes`, and what is named and not in the rows is gone.
 */
export interface Changed {
  readonly kind: "tenant" | "node" | "deployment" | "instance" | "ports" | "volume";
  readonly id: string;
}

/** The records as they were last read, by what they are of. */
export interface WorldCache {
  /** Releases among the rows whose spec is neither here nor among the rows. */
  lacking(rows: WorldRows): readonly number[];
  /** Takes what is named by `changed` out and the rows in. */
  apply(changed: readonly Changed[], rows: WorldRows): void;
  /** The greatest `uid` that was ever taken in. */
  highestUid(): number;
  /** The world; records that did not change are the very same objects as before. */
  world(): World;
}

/** The releases of one deployment that are in use, by uid. */
type Known = ReadonlyMap<number, Release>;

/**
 * As one list. Worlds are large and asked for often, and `flat` and `flatMap` take several times as
 * long.
 */
function flat<T>(lists: Iterable<{ values(): Iterable<T> }>): readonly T[] {
  const all: T[] = [];
  for (const list of lists) for (const item of list.values()) all.push(item);
  return all;
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [item]);
  else known.push(item);
}

/** Makes an empty one. */
export function createWorldCache(): WorldCache {
  const tenants = new Map<string, Tenant>();
  const nodes = new Map<string, Node>();
  const deployments = new Map<string, Deployment>();
  const releases = new Map<string, Known>();
  const instances = new Map<string, Instance>();
  const locations = new Map<string, Location[]>();
  const ports = new Map<string, ReleasedPort[]>();
  const volumes = new Map<string, Volume>();
  const forget = {
    tenant: [tenants],
    node: [nodes],
    deployment: [deployments],
    instance: [instances, locations],
    ports: [ports],
    volume: [volumes],
  };
  let placements = 0;
  let highest = 0;

  function takeReleases(named: readonly NamedRelease[], specs: ReadonlyMap<number, DeploymentSpec>): void {
    for (const [deploymentId, used] of Map.groupBy(named, one => one.deployment_id)) {
      const known = releases.get(deploymentId);
      const entries = used.flatMap(({ number, uid }): [number, Release][] => {
        const spec = specs.get(uid);
        const release = spec === undefined ? known?.get(uid) : { deploymentId, number, spec };
        return release === undefined ? [] : [[uid, release]];
      });
      releases.set(deploymentId, new Map(entries));
    }
  }

  return {
    lacking: rows => {
      const given = new Set(rows.specs.map(({ uid }) => uid));
      const isLacking = ({ deployment_id: id, uid }: NamedRelease): boolean =>
        !given.has(uid) && releases.get(id)?.has(uid) !== true;
      return rows.releases.filter(isLacking).map(({ uid }) => uid);
    },
    apply: (changed, rows) => {
      for (const { kind, id } of changed) for (const records of forget[kind]) records.delete(id);
      for (const row of rows.tenants) tenants.set(row.id, toTenant(row));
      for (const row of rows.nodes) nodes.set(row.node_id, toNode(row));
      for (const row of rows.deployments) deployments.set(row.id, toDeployment(row));
      for (const row of rows.instances) instances.set(row.id, toInstance(row));
      for (const row of rows.locations) addTo(locations, row.instance_id, toLocation(row));
      for (const row of rows.released_ports) addTo(ports, row.node_id, toReleasedPort(row));
      for (const row of rows.volumes) volumes.set(row.id, toVolume(row));
      takeReleases(rows.releases, new Map(rows.specs.map(({ uid, spec }) => [uid, specFromStored(spec)])));
      for (const { kind, id } of changed) if (kind === "deployment" && !deployments.has(id)) releases.delete(id);
      for (const { uid } of rows.specs) highest = Math.max(highest, uid);
      placements = rows.placements;
    },
    highestUid: () => highest,
    world: () => ({
      tenants: [...tenants.values()],
      nodes: [...nodes.values()],
      deployments: [...deployments.values()],
      releases: flat(releases.values()),
      instances: [...instances.values()],
      locations: flat(locations.values()),
      releasedPorts: flat(ports.values()),
      volumes: [...volumes.values()],
      placements,
    }),
  };
}
