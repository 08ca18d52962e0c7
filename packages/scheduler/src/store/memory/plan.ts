import { volumeKey } from "@skep/core/model/volume.ts";
import { applyPlan, touchedNodes } from "@skep/core/world/apply.ts";
import { whyStale } from "@skep/core/world/stale.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { World } from "@skep/core/world/world.ts";
import { parseInstanceId } from "@skep/core/model/instance-id.ts";
import { firstSerials } from "@skep/core/identity/serials.ts";
import { linesOf, type RecordsMark } from "@skep/core/identity/records-age.ts";
import type { Evidence } from "@skep/core/identity/strangers.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Location, ReleasedPort } from "@skep/core/model/instance.ts";
import { isLive } from "@skep/core/model/state.ts";
import { assignmentOf } from "@skep/core/world/assignment-of.ts";
import { liveOn, locationKey, releaseKey, removalKey, setRoutes, type Records } from "../memory-records.ts";
import { isSameLease } from "../lease.ts";
import { withReceipt } from "../receipts.ts";
import { drawStamp, raise } from "./raise.ts";
import { leaseEnded, type Committed, type Raised, type Stale } from "../commit-result.ts";
import type { Mandate } from "../mandate.ts";
import type { Lease, NodeRemoval } from "../store.ts";

/** See `LeaseStore.takeLease`; `now` is the database's clock. */
export function takeLease(
  records: Records,
  holder: string,
  ttlMs: number,
  stalled: Lease | undefined,
  now: number,
): Lease {
  const { lease } = records;
  const isFree = lease === undefined || ["", holder].includes(lease.holder) || lease.expiresAt <= now;
  if (isFree || (stalled !== undefined && isSameLease(stalled, readLease(records, now)!))) {
    const term = lease === undefined ? 1 : lease.term + (lease.holder === holder ? 0 : 1);
    records.lease = { holder, term, expiresAt: now + ttlMs, placements: lease?.placements ?? 0 };
  }
  return readLease(records, now)!;
}

/** See `LeaseStore.releaseLease`. */
export function releaseLease(records: Records, holder: string, now: number): void {
  if (records.lease?.holder === holder) records.lease = { ...records.lease, holder: "", expiresAt: now };
}

/** See `LeaseStore.readLease`. */
export function readLease(records: Records, now: number): Lease | undefined {
  const { lease } = records;
  if (lease === undefined) return undefined;
  return {
    holder: lease.holder,
    term: lease.term,
    expiresInMs: Math.max(0, lease.expiresAt - now),
    at: now,
    mark: String(lease.expiresAt),
    identity: records.platform,
  };
}

/** Whether the lease is the mandate's; `now` is the database's clock. */
export function leads({ lease }: Records, { term, holder }: Mandate, now: number): boolean {
  return lease?.term === term && lease.holder === holder && lease.expiresAt > now;
}

/** See `PlanStore.loadWorld`. */
export function loadWorld(records: Records): World {
  const nodes = [...records.nodes.values()].filter(
    ({ node, sessionId, swarmState }) =>
      sessionId !== undefined &&
      !(swarmState === "removed" && node.liveness === "down" && liveOn(records, node.id) === 0),
  );
  return {
    tenants: [...records.tenants.values()],
    nodes: nodes.map(({ node }) => node),
    deployments: [...records.deployments.values()],
    releases: [...records.releases.values()].filter(
      ({ deploymentId, number }) =>
        records.deployments.get(deploymentId)?.release === number ||
        [...records.instances.values()].some(one => one.deploymentId === deploymentId && one.release === number),
    ),
    instances: [...records.instances.values()],
    locations: [...records.locations.values()],
    // A copy: what a caller gets is frozen, and the tables may be changed by hand.
    releasedPorts: [...records.releasedPorts],
    volumes: [...records.volumes.values()],
    placements: records.lease?.placements ?? 0,
  };
}

/** See `PlanStore.commit`; `databaseNow` is what the lease is judged by. */
export function commit(
  records: Records,
  plan: Plan,
  mandate: Mandate,
  now: number,
  databaseNow: number,
): Committed | Stale {
  const { lease } = records;
  if (lease === undefined || !leads(records, mandate, databaseNow)) {
    return leaseEnded(mandate);
  }
  const before = everything(records);
  const because = whyStale(before, plan);
  if (because !== undefined) return { kind: "stale", because };
  const after = applyPlan(before, plan, now);
  if (takesPortTwice(after.locations)) return { kind: "stale", because: "a host port was taken meanwhile" };
  if (
    takesReleasedPort(
      after.locations.filter(one => !records.locations.has(locationKey(one))),
      before.releasedPorts,
    )
  )
    return { kind: "stale", because: "a host port has to wait before another may have it" };
  const touched = touchedNodes(before, plan);
  write(records, after, databaseNow);
  const stamp = drawStamp();
  const revisions = raise(records, touched, stamp);
  records.lease = { ...lease, placements: Math.max(lease.placements, after.placements) };
  return { kind: "committed", revisions, stamp };
}

/** See `PlanStore.saveRemovals`. */
export function saveRemovals(
  records: Records,
  removals: readonly NodeRemoval[],
  mandate: Mandate,
  databaseNow: number,
): Raised | Stale {
  if (!leads(records, mandate, databaseNow)) {
    return leaseEnded(mandate);
  }
  const known = removals.filter(one => records.nodes.has(one.nodeId));
  for (const one of known) records.removals.set(removalKey(one), one);
  return { kind: "committed", revisions: raise(records, new Set(known.map(one => one.nodeId))) };
}

/** See `PlanStore.markUnrecovered`. */
export function markUnrecovered(
  records: Records,
  because: string,
  mandate: Mandate,
  now: number,
  databaseNow: number,
): boolean {
  const { platform } = records;
  if (!leads(records, mandate, databaseNow) || platform.unrecovered !== undefined) return false;
  for (const [id, { until }] of records.bridges) if (until <= databaseNow) records.bridges.delete(id);
  records.platform = { ...platform, unrecovered: { because, at: now } };
  return true;
}

/** See `PlanStore.loadEvidence`. */
export function loadEvidence(
  records: Records,
  nodeId: string,
  instanceIds: readonly string[],
): Evidence & { readonly mark: RecordsMark } {
  const locations = [...records.locations.values()];
  const entry = records.nodes.get(nodeId);
  const deployments = new Set(instanceIds.map(id => parseInstanceId(id)?.deploymentId));
  return {
    rows: locations.filter(one => one.nodeId === nodeId),
    instances: instanceIds.flatMap(id => records.instances.get(id) ?? []),
    locations: locations.filter(one => instanceIds.includes(one.instanceId)),
    serials: new Map([...records.serials].filter(([id]) => deployments.has(id))),
    serialFloor: records.platform.serialFloor,
    mark: {
      identity: records.platform,
      term: records.lease?.term ?? 0,
      lines: linesOf(entry === undefined ? [] : [entry.node]),
    },
  };
}

/** Unlike `loadWorld`, nothing is left out: what a commit leaves out would be deleted. */
function everything(records: Records): World {
  const world = loadWorld(records);
  return {
    ...world,
    releases: [...records.releases.values()],
    nodes: [...records.nodes.values()].map(entry => entry.node),
  };
}

/** Whether two live locations of a node have the same host port. */
export function takesPortTwice(locations: readonly Location[]): boolean {
  const taken = new Set<string>();
  for (const location of locations) {
    if (!isLive(location)) continue;
    for (const port of location.ports) {
      const key = `${location.nodeId} ${port.hostPort} ${port.protocol}`;
      if (taken.has(key)) return true;
      taken.add(key);
    }
  }
  return false;
}

/** Whether one of the live locations has a port that still waits for its last user's edges. */
export function takesReleasedPort(added: readonly Location[], released: readonly ReleasedPort[]): boolean {
  return added.some(
    location =>
      isLive(location) &&
      released.some(
        one =>
          one.nodeId === location.nodeId &&
          one.freeAt > location.desiredAt &&
          one.deploymentId !== location.deploymentId &&
          location.ports.some(port => port.hostPort === one.hostPort && port.protocol === one.protocol),
      ),
  );
}

/** Keeps the next serial of a name beyond the deletion of its deployment. */
function noteSerial(records: Records, deploymentId: string, next: number): void {
  const known = records.serials.get(deploymentId);
  if ((known?.next ?? 0) < next) records.serials.set(deploymentId, { ...(known ?? firstSerials(0)), next });
}

function write(records: Records, world: World, now: number): void {
  const replace = <T>(table: Map<string, T>, items: readonly T[], keyOf: (item: T) => string): void => {
    table.clear();
    for (const item of items) table.set(keyOf(item), item);
  };
  replace(records.deployments, world.deployments, one => one.id);
  for (const { id, nextSerial } of world.deployments) noteSerial(records, id, nextSerial);
  replace(records.releases, world.releases, one => releaseKey(one.deploymentId, one.number));
  replace(records.instances, world.instances, one => one.id);
  replace(records.locations, world.locations, locationKey);
  records.releasedPorts = [...world.releasedPorts];
  replace(records.volumes, world.volumes, volumeKey);
  for (const node of world.nodes) {
    const entry = records.nodes.get(node.id);
    if (entry !== undefined) entry.node = node;
  }
  for (const id of records.routes.keys()) {
    if (records.deployments.has(id)) dropOldRoutes(records, id, now);
    else setRoutes(records, id, [], now);
  }
}

/** The routes of an older release go with its last location. */
export function dropOldRoutes(records: Records, deploymentId: string, now: number): void {
  const routes = records.routes.get(deploymentId) ?? [];
  const newest = records.deployments.get(deploymentId)?.release;
  if (routes.every(route => route.release === newest)) return;
  const used = new Set(
    [...records.locations.values()].flatMap(one => (one.deploymentId === deploymentId ? one.release : [])),
  );
  const kept = routes.filter(route => route.release === newest || used.has(route.release));
  if (kept.length < routes.length) setRoutes(records, deploymentId, kept, now);
}

/** See `PlanStore.loadAssignment`. */
export function loadAssignment(records: Records, nodeId: string): Assignment | undefined {
  const entry = records.nodes.get(nodeId);
  if (entry?.sessionId === undefined) return undefined;
  const assigned = [...records.locations.values()].flatMap(location => {
    const instance = records.instances.get(location.instanceId);
    const release = records.releases.get(releaseKey(location.deploymentId, location.release));
    return instance === undefined || release === undefined ? [] : [{ location, instance, spec: release.spec }];
  });
  const removals = [...records.removals.values()].filter(one => one.nodeId === nodeId);
  const volumes = [...records.volumes.values()];
  const { platform, lease } = records;
  const assignment = assignmentOf(entry.node, { ...platform, term: lease?.term ?? 0 }, assigned, removals, volumes);
  return withReceipt(assignment, platform.receiptKey);
}

/** See `PlanStore.loadSpec`. */
export function loadSpec(
  records: Records,
  nodeId: string,
  deploymentId: string,
  release: number,
): DeploymentSpec | undefined {
  const isHere = [...records.locations.values()].some(
    one => one.nodeId === nodeId && one.deploymentId === deploymentId && one.release === release,
  );
  return isHere ? records.releases.get(releaseKey(deploymentId, release))?.spec : undefined;
}
