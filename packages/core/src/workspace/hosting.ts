import { byId, byText } from "../world/order.ts";
import type { Host, HostedWorkspace, HostingChange, HostingWorld, HostId, WorkspaceLocation } from "./host.ts";

/**
 * Who runs which shared workspace. A workspace has one owner: the next one is placed only once the
 * one before has let go of it, or its host is down and so surely reads no more. A standby reads
 * nothing, so nobody waits for its end. The plan applied to the world leads to an empty plan.
 */
export function decideHosting(world: HostingWorld): readonly HostingChange[] {
  const changes: HostingChange[] = [];
  const hosts = new Map(world.hosts.map(host => [host.id, host]));
  const located = Map.groupBy(world.locations, one => one.workspaceId);
  const wanted = new Map(world.workspaces.flatMap(one => (one.desired === "run" ? [[one.id, one.role]] : [])));
  const held = new Set<string>();
  for (const location of inOrder(world.locations)) {
    const because = whyEnds(location, hosts.get(location.hostId), wanted, located.get(location.workspaceId) ?? []);
    const isOver = location.state === "stopped" || isSilenced(hosts.get(location.hostId));
    const isGone = isOver || location.role === "standby";
    const { workspaceId, epoch } = location;
    if (because === undefined) held.add(workspaceId);
    else if (isGone) changes.push({ kind: "forget", workspaceId, epoch, because });
    else {
      held.add(workspaceId);
      if (location.desired === "run") changes.push({ kind: "stop", workspaceId, epoch, because });
    }
  }
  const homeless = world.workspaces.filter(one => wanted.has(one.id) && !held.has(one.id));
  changes.push(...placeAll(homeless, world, changes));
  return changes;
}

/** A host that is down, or that nobody knows any more, reads no messages. */
function isSilenced(host: Host | undefined): boolean {
  return host === undefined || host.liveness === "down";
}

function whyEnds(
  location: WorkspaceLocation,
  host: Host | undefined,
  wanted: ReadonlyMap<string, HostedWorkspace["role"]>,
  all: readonly WorkspaceLocation[],
): string | undefined {
  if (!wanted.has(location.workspaceId)) return "it is not wanted any more";
  if (isSilenced(host)) return `host ${location.hostId} is down`;
  if (all.some(one => one.epoch > location.epoch)) return "it was placed anew since";
  if (location.state === "stopped") return "its host has let go of it";
  if (wanted.get(location.workspaceId) !== location.role)
    return location.role === "standby" ? "it is to read what it stood by for" : "its other half is to read";
  if (location.desired === "stop") return "its host was told to let go of it";
  return host?.availability === "drain" ? `host ${location.hostId} is drained` : undefined;
}

interface Candidate {
  readonly host: Host;
  count: number;
  lastPlaced: number;
  /** Workspaces that were placed here by this plan and are not in the host's reports yet. */
  added: number;
}

function placeAll(
  homeless: readonly HostedWorkspace[],
  world: HostingWorld,
  changes: readonly HostingChange[],
): readonly HostingChange[] {
  const forgotten = new Set(changes.flatMap(one => (one.kind === "forget" ? [`${one.workspaceId} ${one.epoch}`] : [])));
  const counts = new Map<HostId, number>();
  for (const one of world.locations) {
    if (!forgotten.has(`${one.workspaceId} ${one.epoch}`)) counts.set(one.hostId, (counts.get(one.hostId) ?? 0) + 1);
  }
  const candidates: Candidate[] = world.hosts
    .filter(host => host.liveness === "ready" && host.availability === "active")
    .map(host => ({ host, count: counts.get(host.id) ?? 0, lastPlaced: host.lastPlaced, added: 0 }));
  let placement = world.placements;
  return homeless.toSorted(byId).flatMap((workspace): readonly HostingChange[] => {
    const best = candidates.filter(one => one.count < one.host.most).toSorted(better(workspace))[0];
    if (best === undefined) {
      const because = whyNone(world.hosts, candidates);
      return workspace.waiting === because ? [] : [{ kind: "wait", workspaceId: workspace.id, because }];
    }
    const because = wordsOf(workspace, best);
    best.count += 1;
    best.added += 1;
    best.lastPlaced = placement;
    const { id: hostId } = best.host;
    const epoch = workspace.epoch + 1;
    const role = workspace.role === undefined ? {} : { role: workspace.role };
    return [{ kind: "place", workspaceId: workspace.id, hostId, epoch, ...role, placement: placement++, because }];
  });
}

/** What a workspace of which nothing is known yet counts for beside measured ones. */
const GUESS_CONNECTIONS = 100;
const GUESS_MESSAGES = 100;

/** Connections and messages in one number, each as a share of what a host is expected to bear. */
function burden({ host, added }: Candidate): number {
  const connections = host.load.connections + added * GUESS_CONNECTIONS;
  const messages = host.load.messagesPerSecond + added * GUESS_MESSAGES;
  return Math.max(connections / 10_000, messages / 20_000, host.load.memoryShare);
}

function better({ strategy }: HostedWorkspace): (a: Candidate, b: Candidate) => number {
  return (a, b) => {
    const first = strategy === "round-robin" ? a.lastPlaced - b.lastPlaced : burden(a) - burden(b);
    return first || a.count - b.count || (a.host.id < b.host.id ? -1 : 1);
  };
}

function wordsOf({ strategy }: HostedWorkspace, best: Candidate): string {
  if (strategy === "round-robin") return `next in turn (${best.count} workspaces)`;
  return `least loaded (${Math.round(burden(best) * 100)} %, ${best.count} workspaces)`;
}

function whyNone(hosts: readonly Host[], ready: readonly Candidate[]): string {
  return `${INSUFFICIENT}: ${causeOf(hosts, ready)}`;
}

/** The text of R144; what is missing follows it. */
const INSUFFICIENT = "ERROR: Insufficient resources to allocate container";

function causeOf(hosts: readonly Host[], ready: readonly Candidate[]): string {
  if (hosts.length === 0) return `configuration error: no shared host has reported yet; ${DEPLOY}, or ${LOOK}`;
  if (hosts.every(host => host.liveness !== "ready")) return `at capacity: ${silenceOf(hosts)}; ${LOOK}`;
  if (ready.length === 0) return `at capacity: none of ${hosts.length} hosts takes work, all are silent or drained`;
  return `limits reached: all ${ready.length} hosts are full; add replicas of the shared hosts' service`;
}

const DEPLOY = "deploy the service of the shared hosts";
const LOOK = "see `docker service ps skep_workspace-host` and whether one is paused or cut off";

function silenceOf(hosts: readonly Host[]): string {
  const since = new Date(Math.max(...hosts.map(host => host.seenAt))).toISOString();
  if (hosts.length === 1) return `the only shared host has not answered since ${since}`;
  return `none of ${hosts.length} shared hosts has answered since ${since}`;
}

function inOrder(locations: readonly WorkspaceLocation[]): readonly WorkspaceLocation[] {
  return locations.toSorted((a, b) => byText(a.workspaceId, b.workspaceId) || a.epoch - b.epoch);
}

/** The world once the plan is committed, as the store has it then. */
export function applyHosting(world: HostingWorld, changes: readonly HostingChange[]): HostingWorld {
  const locations = new Map(world.locations.map(one => [`${one.workspaceId} ${one.epoch}`, one]));
  const workspaces = new Map(world.workspaces.map(one => [one.id, one]));
  const hosts = new Map(world.hosts.map(one => [one.id, one]));
  let { placements } = world;
  for (const change of changes) {
    const { workspaceId } = change;
    const workspace = workspaces.get(workspaceId);
    switch (change.kind) {
      case "place": {
        const { hostId, epoch, placement, role } = change;
        const placed = { workspaceId, hostId, epoch, ...(role === undefined ? {} : { role }) };
        locations.set(`${workspaceId} ${epoch}`, { ...placed, desired: "run", state: "assigned" });
        if (workspace !== undefined) workspaces.set(workspaceId, { ...workspace, epoch, waiting: "" });
        const host = hosts.get(hostId);
        if (host !== undefined) hosts.set(hostId, { ...host, lastPlaced: placement });
        placements = Math.max(placements, placement + 1);
        break;
      }
      case "stop": {
        const location = locations.get(`${workspaceId} ${change.epoch}`);
        if (location !== undefined) locations.set(`${workspaceId} ${change.epoch}`, { ...location, desired: "stop" });
        break;
      }
      case "forget":
        locations.delete(`${workspaceId} ${change.epoch}`);
        break;
      case "wait":
        if (workspace !== undefined) workspaces.set(workspaceId, { ...workspace, waiting: change.because });
    }
  }
  return {
    ...{ hosts: [...hosts.values()], workspaces: [...workspaces.values()], locations: [...locations.values()] },
    placements,
  };
}
