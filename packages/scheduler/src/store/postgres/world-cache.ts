import { specFromStored } from "@skep/api/codec/stored/spec.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Deployment, DeploymentSpec, Release } from "@skep/core/model/deployment.ts";
import type { Instance, Location, ReleasedPort } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import type { Tenant } from "@skep/core/model/tenant.ts";
import { toDeployment, toInstance, toLocation, toNode, toReleasedPort, toTenant, toVolume } from "./rows.ts";
import { createSortedRecords, type SortedRecords } from "./sorted-records.ts";
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
  /**
   * The world, in the order in which it is decided on; records and lists that did not change are
   * the very same objects as before.
   */
  world(): World;
}

/** The releases of one deployment that are in use, by uid. */
type Known = ReadonlyMap<number, Release>;

/** As one list; `flat` takes several times as long. */
function flat<T>(lists: readonly { values(): Iterable<T> }[]): readonly T[] {
  const all: T[] = [];
  for (const list of lists) for (const item of list.values()) all.push(item);
  return all;
}

/** The same list for as long as the records are the same. */
function flattened<T>(records: SortedRecords<{ values(): Iterable<T> }>): () => readonly T[] {
  let from: readonly unknown[] = [];
  let made: readonly T[] = [];
  return () => {
    const lists = records.list();
    if (lists !== from) [from, made] = [lists, flat(lists)];
    return made;
  };
}

function takeReleases(
  releases: SortedRecords<Known>,
  named: readonly NamedRelease[],
  specs: ReadonlyMap<number, DeploymentSpec>,
): void {
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

/** Makes an empty one. */
export function createWorldCache(): WorldCache {
  const tenants = createSortedRecords<Tenant>();
  const nodes = createSortedRecords<Node>();
  const deployments = createSortedRecords<Deployment>();
  const releases = createSortedRecords<Known>();
  const instances = createSortedRecords<Instance>();
  const locations = createSortedRecords<readonly Location[]>();
  const ports = createSortedRecords<readonly ReleasedPort[]>();
  const volumes = createSortedRecords<Volume>();
  const all = { releases: flattened(releases), locations: flattened(locations), ports: flattened(ports) };
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
      for (const [id, mine] of Map.groupBy(rows.locations, row => row.instance_id))
        locations.set(
          id,
          mine.map(toLocation).toSorted((a, b) => a.epoch - b.epoch),
        );
      for (const [id, mine] of Map.groupBy(rows.released_ports, row => row.node_id))
        ports.set(id, mine.map(toReleasedPort));
      for (const row of rows.volumes) volumes.set(row.id, toVolume(row));
      takeReleases(releases, rows.releases, new Map(rows.specs.map(({ uid, spec }) => [uid, specFromStored(spec)])));
      for (const { kind, id } of changed) if (kind === "deployment" && !deployments.has(id)) releases.delete(id);
      for (const { uid } of rows.specs) highest = Math.max(highest, uid);
      placements = rows.placements;
    },
    highestUid: () => highest,
    world: () => ({
      tenants: tenants.list(),
      nodes: nodes.list(),
      deployments: deployments.list(),
      releases: all.releases(),
      instances: instances.list(),
      locations: all.locations(),
      releasedPorts: all.ports(),
      volumes: volumes.list(),
      placements,
    }),
  };
}
