import type { Host, HostedWorkspace, HostId, HostingChange, WorkspaceLocation } from "./host.ts";
import { decideHosting } from "./hosting.ts";
import type { HostingPlan, HostingRecords, MoveChange, RecordedHost, RecordedWorkspace } from "./hosting-plan.ts";
import { hasToRun, wantedHalves, type WantedHalf } from "./move.ts";

/** What a leader takes each host to be; one that it says nothing of is silent. */
export type HostLiveness = ReadonlyMap<HostId, Host["liveness"]>;

/**
 * What is to be written so that each workspace has the host it needs: a shared one any of the
 * shared hosts, a standalone one the host of its own, and one that moves both, of which one reads
 * at most. The plan written leads to an empty plan in two looks at most.
 */
export function planHosting(
  records: HostingRecords,
  liveness: HostLiveness,
  moves: readonly MoveChange[] = [],
): HostingPlan {
  const hosts = records.hosts.map(one => ({ ...one, liveness: liveness.get(one.id) ?? ("suspect" as const) }));
  const placements = 1 + Math.max(0, ...hosts.map(one => one.lastPlaced));
  const decided = poolsOf(records, moves).flatMap(pool => {
    const world = { ...pool, hosts: hostsOf(pool, hosts), placements };
    return decideHosting(world).flatMap(change => inWordsOf(pool, change));
  });
  const silent = hosts.filter(one => one.liveness === "down");
  const isHeard = hosts.some(one => one.workspaceId === undefined && one.liveness !== "down");
  const located = new Set(records.locations.map(one => one.workspaceId));
  const busy = new Set(records.locations.map(one => one.hostId));
  return {
    changes: onceEach(decided, records.locations),
    silenced: new Map(silent.map(one => [one.id, one.renewals])),
    gone: records.workspaces.flatMap(one => (one.desired === "deleted" && !located.has(one.id) ? [one.id] : [])),
    // While no shared host answers, their records say how many there were and until when.
    lost: silent.flatMap(one => (busy.has(one.id) || (one.workspaceId === undefined && !isHeard) ? [] : [one.id])),
    moves,
  };
}

/** Workspaces that may go to the same hosts. */
interface Pool {
  /** The workspace whose own hosts these are; `undefined` for the shared ones. */
  readonly owner: RecordedWorkspace["id"] | undefined;
  readonly workspaces: readonly HostedWorkspace[];
  readonly locations: readonly WorkspaceLocation[];
}

/** Each half of a workspace is in the pool of its mode, and each placement in that of its host. */
function poolsOf(
  { workspaces, locations, hosts, moves }: HostingRecords,
  changes: readonly MoveChange[],
): readonly Pool[] {
  const next = new Map([...moves, ...changes.map(one => one.move)].map(one => [one.workspaceId, one]));
  const owners = new Map(hosts.map(one => [one.id, one.workspaceId]));
  const modes = new Map(workspaces.map(one => [one.id, one.mode]));
  const poolOf = ({ hostId, workspaceId }: WorkspaceLocation): string | undefined => {
    if (owners.has(hostId)) return owners.get(hostId) === undefined ? undefined : workspaceId;
    return modes.get(workspaceId) === "standalone" ? workspaceId : undefined;
  };
  const halves = workspaces.map(one => {
    const move = next.get(one.id);
    const isWanted = hasToRun(one.desired, move);
    return { one, isWanted, halves: wantedHalves(move?.stage === "done" ? move.to : one.mode, move) };
  });
  const placed = Map.groupBy(locations, poolOf);
  const shared = halves.flatMap(half => toHosted(half, "shared"));
  const own = halves.flatMap((half): readonly Pool[] => {
    const { one } = half;
    const held = placed.get(one.id) ?? [];
    const hosted = toHosted(half, "standalone");
    return hosted.length + held.length === 0 ? [] : [{ owner: one.id, workspaces: hosted, locations: held }];
  });
  return [{ owner: undefined, workspaces: shared, locations: placed.get(undefined) ?? [] }, ...own];
}

/** A workspace, whether it runs, and as which halves. */
interface Wanted {
  readonly one: RecordedWorkspace;
  readonly isWanted: boolean;
  readonly halves: readonly WantedHalf[];
}

function toHosted({ one, isWanted, halves }: Wanted, mode: WantedHalf["mode"]): readonly HostedWorkspace[] {
  const { id, strategy, epoch, waiting } = one;
  return halves.flatMap(half => {
    if (half.mode !== mode) return [];
    const role = half.role === "standby" ? { role: half.role } : {};
    const desired = isWanted ? ("run" as const) : ("stopped" as const);
    return [{ id, strategy, epoch, waiting, ...role, desired }];
  });
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
function inWordsOf({ owner, workspaces }: Pool, change: HostingChange): readonly HostingChange[] {
  if (change.kind !== "wait") return [change];
  // A move says itself what it waits for.
  if (workspaces.some(one => one.id === change.workspaceId && one.role === "standby")) return [];
  if (owner === undefined) return [change];
  return [{ ...change, because: "its own host does not report yet; see its deployment" }];
}

/**
 * Of a workspace one half is placed at a time, as each placement has the next epoch; and one that
 * reads only where none is left that does.
 */
function onceEach(
  changes: readonly HostingChange[],
  locations: readonly WorkspaceLocation[],
): readonly HostingChange[] {
  const ended = new Set(changes.flatMap(one => (one.kind === "forget" ? [`${one.workspaceId} ${one.epoch}`] : [])));
  const left = locations.filter(one => !ended.has(`${one.workspaceId} ${one.epoch}`));
  const owned = new Set(left.flatMap(one => (one.role === "standby" ? [] : [one.workspaceId])));
  const placed = new Set<string>();
  const isFirst = (one: HostingChange & { readonly kind: "place" }): boolean => {
    if ((one.role !== "standby" && owned.has(one.workspaceId)) || placed.has(one.workspaceId)) return false;
    placed.add(one.workspaceId);
    return true;
  };
  // Whoever reads comes first: nobody reads meanwhile.
  const readers = changes.filter(one => one.kind === "place" && one.role === undefined);
  const kept = new Set([...readers, ...changes].filter(one => one.kind === "place" && isFirst(one)));
  return changes.filter(one => one.kind !== "place" || kept.has(one));
}
