import type { Host, HostedWorkspace, HostId, HostingChange, WorkspaceLocation } from "./host.ts";
import { decideHosting } from "./hosting.ts";
import type { HostingPlan, HostingRecords, RecordedHost, RecordedWorkspace } from "./hosting-plan.ts";

/** What a leader takes each host to be; one that it says nothing of is silent. */
export type HostLiveness = ReadonlyMap<HostId, Host["liveness"]>;

/**
 * What is to be written so that each workspace has the host it needs: a shared one any of the
 * shared hosts, a standalone one the host of its own. The plan written leads to an empty plan.
 */
export function planHosting(records: HostingRecords, liveness: HostLiveness): HostingPlan {
  const hosts = records.hosts.map(one => ({ ...one, liveness: liveness.get(one.id) ?? ("suspect" as const) }));
  const placements = 1 + Math.max(0, ...hosts.map(one => one.lastPlaced));
  const changes = poolsOf(records).flatMap(pool => {
    const world = { ...pool, hosts: hostsOf(pool, hosts), placements };
    return decideHosting(world).map(change => inWordsOf(pool, change));
  });
  const silent = hosts.filter(one => one.liveness === "down");
  const located = new Set(records.locations.map(one => one.workspaceId));
  const busy = new Set(records.locations.map(one => one.hostId));
  return {
    changes,
    silenced: new Map(silent.map(one => [one.id, one.renewals])),
    gone: records.workspaces.flatMap(one => (one.desired === "deleted" && !located.has(one.id) ? [one.id] : [])),
    lost: silent.flatMap(one => (busy.has(one.id) ? [] : [one.id])),
  };
}

/** Workspaces that may go to the same hosts. */
interface Pool {
  /** The workspace whose own hosts these are; `undefined` for the shared ones. */
  readonly owner: RecordedWorkspace["id"] | undefined;
  readonly workspaces: readonly HostedWorkspace[];
  readonly locations: readonly WorkspaceLocation[];
}

function poolsOf({ workspaces, locations }: HostingRecords): readonly Pool[] {
  const own = workspaces.filter(one => one.mode === "standalone");
  const isOwn = new Set(own.map(one => one.id));
  const shared = {
    owner: undefined,
    workspaces: workspaces.filter(one => !isOwn.has(one.id)).map(toHosted),
    locations: locations.filter(one => !isOwn.has(one.workspaceId)),
  };
  const alone = own.map(one => ({
    owner: one.id,
    workspaces: [toHosted(one)],
    locations: locations.filter(({ workspaceId }) => workspaceId === one.id),
  }));
  return [shared, ...alone];
}

function toHosted({ desired, ...workspace }: RecordedWorkspace): HostedWorkspace {
  return { ...workspace, desired: desired === "run" ? "run" : "stopped" };
}

/**
 * The hosts of the pool, and those that still have something of it and must give it away: one that
 * was left out would be taken to read nothing.
 */
function hostsOf({ owner, locations }: Pool, hosts: readonly (RecordedHost & Host)[]): readonly Host[] {
  const holding = new Set(locations.map(one => one.hostId));
  return hosts.flatMap((host): readonly Host[] => {
    if (host.workspaceId === owner) return [host];
    return holding.has(host.id) ? [{ ...host, availability: "drain" }] : [];
  });
}

/** What is said of the shared hosts does not fit a workspace that has its own. */
function inWordsOf({ owner }: Pool, change: HostingChange): HostingChange {
  if (owner === undefined || change.kind !== "wait") return change;
  return { ...change, because: "its own host does not report yet; see its deployment" };
}
