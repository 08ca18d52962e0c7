import { COUNTS, type SeenContainer } from "@skep/core/workspace/container.ts";
import type { HostId, HostingChange } from "@skep/core/workspace/host.ts";
import { isOver } from "@skep/core/workspace/migration.ts";
import type { Migration } from "@skep/core/workspace/migration-state.ts";
import { modeOfHost, moveOrder, peerFor, type MovingLocation } from "@skep/core/workspace/move.ts";
import type { AssignedWorkspace, HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostedStatus, HostReport } from "@skep/core/workspace/host-report.ts";
import { hostedAs } from "@skep/core/workspace/record.ts";
import { whyHostingStale, type HostingPlan, type HostingRecords } from "@skep/core/workspace/hosting-plan.ts";
import { takeReport } from "@skep/core/workspace/take-report.ts";
import { leaseEnded, type Stale } from "../commit-result.ts";
import type { HostingStore, HostLeases, MoveSettings, SavedHostReport } from "../hosting-store.ts";
import { inOrder, type HostRow, type LocatedRow, type Records } from "../memory-records.ts";
import type { Mandate } from "../mandate.ts";
import { leads } from "./plan.ts";
import { reachesOf } from "./reach.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `HostingStore`; `databaseNow` is what the lease is judged by. */
export function createHosting(records: Records, pass: Pass, databaseNow: () => number): HostingStore {
  return {
    loadHosting: () => pass("loadHosting", () => loadHosting(records)),
    countHostLeases: () => pass("countHostLeases", () => countHostLeases(records)),
    commitHosting: (plan, mandate, now) =>
      pass("commitHosting", () => commitHosting(records, plan, mandate, now, databaseNow())),
    saveHostReport: (report, holdMs, now) => pass("saveHostReport", () => saveHostReport(records, report, holdMs, now)),
    loadHostAssignment: (hostId, moving) =>
      pass("loadHostAssignment", () => loadHostAssignment(records, hostId, moving)),
    locateWorkspaces: ids => pass("locateWorkspaces", () => locateWorkspaces(records, new Set(ids))),
    reachWorkspace: id => pass("reachWorkspace", () => reachesOf(records).find(one => one.workspaceId === id)),
    loadHostKey: () => pass("loadHostKey", () => records.hostKey),
  };
}

const keyOf = (workspaceId: string, epoch: number): string => `${workspaceId} ${epoch}`;

function loadHosting(records: Records): HostingRecords {
  return {
    hosts: inOrder(records.workspaceHosts.values(), one => one.id).map(row => toHost(records, row)),
    workspaces: inOrder(records.workspaces.values(), one => one.id).map(one => ({
      ...{ id: one.id, tenantId: one.tenantId, ...hostedAs(one) },
      ...{ strategy: one.strategy, epoch: one.epoch, waiting: one.waiting },
    })),
    locations: locationsOf(records, () => true).map(toLocation),
    moves: inOrder(records.workspaceMoves.keys(), id => id).flatMap(id => goingOn(records, id) ?? []),
  };
}

/** Its move; one whose workspace is deleted does not go on. */
function goingOn({ workspaces, workspaceMoves }: Records, id: string): Migration | undefined {
  const move = workspaceMoves.get(id);
  return move === undefined || isOver(move) || workspaces.get(id)?.desired === "deleted" ? undefined : move;
}

function countHostLeases(records: Records): readonly HostLeases[] {
  return inOrder(records.workspaceHosts.values(), one => one.id).map(({ id, renewals }) => ({ id, renewals }));
}

function toHost(records: Records, row: HostRow): HostingRecords["hosts"][number] {
  const { id, nodeId, workspaceId, availability, load, most, lastPlaced, renewals, seenAt } = row;
  // One in a pod goes with its pod, which the tick takes care of.
  const isDrained = workspaceId === undefined && records.nodes.get(nodeId)?.node.availability === "drain";
  return {
    ...{ id, nodeId, workspaceId, load, most, lastPlaced, renewals, seenAt },
    availability: isDrained ? "drain" : availability,
  };
}

/** What is decided on of a placement. */
export function toLocation({ workspaceId, hostId, epoch, desired, state, role, move }: LocatedRow): MovingLocation {
  return {
    ...{ workspaceId, hostId, epoch, desired, state },
    ...(role === undefined ? {} : { role }),
    ...(move === undefined ? {} : { move }),
  };
}

/** Placements by workspace and epoch. */
export function locationsOf(records: Records, isWanted: (one: LocatedRow) => boolean): readonly LocatedRow[] {
  const wanted = [...records.workspaceLocations.values()].filter(isWanted);
  return wanted.toSorted((a, b) =>
    a.workspaceId === b.workspaceId ? a.epoch - b.epoch : a.workspaceId < b.workspaceId ? -1 : 1,
  );
}

function commitHosting(
  records: Records,
  plan: HostingPlan,
  mandate: Mandate,
  now: number,
  databaseNow: number,
): { readonly kind: "committed" } | Stale {
  if (!leads(records, mandate, databaseNow)) return leaseEnded(mandate);
  const because = whyHostingStale(loadHosting(records), plan);
  if (because !== undefined) return { kind: "stale", because };
  const touched = new Set<HostId>();
  const rank = (one: HostingChange): number => (one.kind === "forget" ? 0 : 1);
  for (const change of plan.changes.toSorted((a, b) => rank(a) - rank(b))) {
    const hostId = write(records, change, now);
    if (hostId !== undefined) touched.add(hostId);
    if (change.kind === "place") touchHalves(records, change.workspaceId, touched);
  }
  for (const { move } of plan.moves ?? []) {
    writeMove(records, move, now);
    touchHalves(records, move.workspaceId, touched);
  }
  for (const id of plan.gone) {
    const { tenantId, data, epoch } = records.workspaces.get(id)!;
    if (data === "keep" && epoch > 0) records.workspaceRemains.set(id, tenantId);
    if (data === "removed") records.workspaceRemains.delete(id);
    records.workspaces.delete(id);
    records.workspaceBrokers.delete(id);
    for (const [key, webhook] of records.webhooks) if (webhook.workspaceId === id) records.webhooks.delete(key);
    records.workspaceMoves.delete(id);
    for (const [key, [rule]] of records.rules) if (rule?.workspaceId === id) records.rules.delete(key);
    for (const [key, { workspaceId }] of records.devices) if (workspaceId === id) records.devices.delete(key);
  }
  for (const id of plan.lost) records.workspaceHosts.delete(id);
  for (const id of touched) {
    const host = records.workspaceHosts.get(id);
    if (host !== undefined) records.workspaceHosts.set(id, { ...host, revision: host.revision + 1 });
  }
  return { kind: "committed" };
}

function touchHalves(records: Records, workspaceId: string, touched: Set<HostId>): void {
  for (const one of locationsOf(records, row => row.workspaceId === workspaceId)) touched.add(one.hostId);
}

/** Answers the host that it touches. */
function write(records: Records, change: HostingChange, now: number): HostId | undefined {
  const { workspaceHosts, workspaceLocations, workspaces } = records;
  const { workspaceId } = change;
  const workspace = workspaces.get(workspaceId);
  if (change.kind === "wait") {
    if (workspace !== undefined) workspaces.set(workspaceId, { ...workspace, waiting: change.because });
    return undefined;
  }
  const key = keyOf(workspaceId, change.epoch);
  if (change.kind === "place") {
    const { hostId, epoch, placement, role } = change;
    workspaceLocations.set(key, {
      ...(role === undefined ? {} : { role }),
      ...{ workspaceId, hostId, epoch, desired: "run", state: "assigned", changedAt: now },
      ...{ isHealthy: false, counts: {}, lastError: "" },
    });
    if (workspace !== undefined) workspaces.set(workspaceId, { ...workspace, epoch, waiting: "" });
    const host = workspaceHosts.get(hostId);
    if (host !== undefined) workspaceHosts.set(hostId, { ...host, lastPlaced: Math.max(host.lastPlaced, placement) });
    return hostId;
  }
  const location = workspaceLocations.get(key);
  if (change.kind === "forget") workspaceLocations.delete(key);
  else if (location !== undefined) workspaceLocations.set(key, { ...location, desired: "stop", changedAt: now });
  return location?.hostId;
}

/** One that is done gives its workspace its new mode. */
function writeMove(records: Records, move: Migration, now: number): void {
  const { workspaceId, stage, to } = move;
  records.workspaceMoves.set(workspaceId, move);
  const workspace = records.workspaces.get(workspaceId);
  if (stage !== "done" || workspace === undefined || workspace.connector.config.resources.type === to) return;
  const { config } = workspace.connector;
  const connector = { ...workspace.connector, config: { ...config, resources: { ...config.resources, type: to } } };
  records.workspaces.set(workspaceId, { ...workspace, connector, version: workspace.version + 1, updatedAt: now });
}

function saveHostReport(records: Records, report: HostReport, holdMs: number, now: number): SavedHostReport {
  const known = records.workspaceHosts.get(report.hostId);
  const locations = locationsOf(records, one => one.hostId === report.hostId);
  const { incarnation } = records.platform;
  const { answer, isNewest, statuses, changed } = takeReport(known, locations, report, { holdMs, incarnation });
  if (answer.anew !== "") return { answer, changed };
  const { hostId: id, nodeId, workspaceId, availability, load, most, seq, address, eventsPort } = report;
  const told = { nodeId, availability, load, most, seq, address, eventsPort, seenAt: now };
  const said = isNewest ? told : {};
  const before = known ?? { id, workspaceId, ...told, revision: 0, lastPlaced: 0 };
  records.workspaceHosts.set(id, { ...before, ...said, renewals: (known?.renewals ?? 0) + 1 });
  for (const status of statuses) {
    const key = keyOf(status.workspaceId, status.epoch);
    const location = records.workspaceLocations.get(key);
    if (location === undefined) continue;
    noteRemoval(records, status);
    const { move: _, ...before } = location;
    records.workspaceLocations.set(key, { ...before, ...status, changedAt: now });
  }
  return { answer, changed };
}

/** Its owner says that nothing of its data is left. */
function noteRemoval({ workspaces }: Records, { workspaceId, epoch, state, counts }: HostedStatus): void {
  const workspace = workspaces.get(workspaceId);
  if (state !== "running" || counts[COUNTS.dataRemoved] !== 1) return;
  if (workspace?.data === "remove" && workspace.epoch === epoch)
    workspaces.set(workspaceId, { ...workspace, data: "removed" });
}

function loadHostAssignment(
  records: Records,
  hostId: HostId,
  { times, edgePort }: MoveSettings = {},
): HostAssignment | undefined {
  const host = records.workspaceHosts.get(hostId);
  if (host === undefined) return undefined;
  const { incarnation } = records.platform;
  const mine = locationsOf(records, one => one.hostId === hostId && one.state !== "stopped");
  return {
    ...{ hostId, incarnation, term: records.lease?.term ?? 0, revision: host.revision },
    workspaces: mine.flatMap(({ workspaceId: id, epoch, desired, role }): readonly AssignedWorkspace[] => {
      const workspace = records.workspaces.get(id);
      if (workspace === undefined) return [];
      const { connector, version, restarts, databasePool, instances, rulesVersion } = workspace;
      const order = moveOrder(goingOn(records, id), modeOfHost(host), peerAt(records, id, host, edgePort), times);
      return [
        {
          ...{ id, epoch, desired, connector, version, restarts, databasePool, instances, rulesVersion },
          ...(role === undefined ? {} : { role }),
          ...(workspace.data === "keep" ? {} : { removesData: true as const }),
          ...(workspace.desired === "deleted" ? { isDropped: true as const } : {}),
          ...(order === undefined ? {} : { move: order }),
        },
      ];
    }),
  };
}

/** Where the other half of a workspace that moves is: on a host of the other kind. */
function peerAt(records: Records, id: string, own: HostRow, edgePort: number | undefined): string {
  const { workspaceId, address } = own;
  const others = locationsOf(records, one => {
    const isRunning = one.workspaceId === id && one.state !== "stopped" && one.desired === "run";
    const owner = records.workspaceHosts.get(one.hostId)?.workspaceId;
    return isRunning && (owner === undefined) !== (workspaceId === undefined);
  });
  const host = records.workspaceHosts.get(others.at(-1)?.hostId ?? "");
  const other = host === undefined ? undefined : { address: host.address, port: host.eventsPort };
  return peerFor(modeOfHost(own), { address, edgePort }, other);
}

function locateWorkspaces(records: Records, ids: ReadonlySet<string>): ReadonlyMap<string, SeenContainer> {
  // Of several the last one counts: the one that reads, and the latest.
  const located = locationsOf(records, one => ids.has(one.workspaceId)).toSorted(
    (a, b) => Number(a.role === undefined) - Number(b.role === undefined),
  );
  return new Map(
    located.map(row => {
      const { isHealthy, counts, lastError } = row;
      const { nodeId = "", seenAt: reportedAt = 0 } = records.workspaceHosts.get(row.hostId) ?? {};
      return [row.workspaceId, { ...toLocation(row), isHealthy, counts, lastError, nodeId, reportedAt }];
    }),
  );
}
