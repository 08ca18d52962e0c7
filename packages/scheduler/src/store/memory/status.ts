import { raised } from "./raise.ts";
import type { NodeFacts, SwarmNode, Usage } from "@skep/core/model/report.ts";
import { hash } from "node:crypto";
import { digestText } from "@skep/core/converge/digest.ts";
import { highestSerials, skipBeyond } from "@skep/core/identity/serials.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Capacity, Liveness, Node, NodeLoad } from "@skep/core/model/node.ts";
import { canBecome, isLive } from "@skep/core/model/state.ts";
import { takesPortTwice, takesReleasedPort } from "./plan.ts";
import { locationKey, removalKey, type NodeEntry, type Records } from "../memory-records.ts";
import { swarmAddress } from "../swarm-address.ts";
import { latest, type StatusReport } from "../reports.ts";
import type { SavedReport } from "../store.ts";

const NO_CAPACITY: Capacity = { cpuMillis: 0, memoryBytes: 0, instances: 0, portFrom: 0, portTo: 0 };

function newEntry(id: string): NodeEntry {
  const node: Node = {
    id,
    hostname: "",
    address: "",
    role: "worker",
    availability: "active",
    liveness: "unknown",
    labels: {},
    engineLabels: {},
    os: "",
    architecture: "",
    engineVersion: "",
    capacity: NO_CAPACITY,
    load: undefined,
    lastPlaced: 0,
    assignmentRevision: 0,
    assignmentStamps: [],
  };
  return {
    node,
    sessionId: undefined,
    reportSeq: 0,
    reportedFull: false,
    seenAt: undefined,
    swarmState: "unknown",
    swarmVersion: -1,
  };
}

/** See `PlanStore.saveLiveness`. */
export function saveLiveness(records: Records, liveness: ReadonlyMap<string, Liveness>): void {
  for (const [nodeId, one] of liveness) {
    const entry = records.nodes.get(nodeId);
    if (entry !== undefined) entry.node = { ...entry.node, liveness: one };
  }
}

/** See `StatusStore.saveFacts`. */
export function saveFacts(records: Records, facts: NodeFacts, now: number): string {
  const { nodeId, sessionId, bootId: _, block: reportedBlock, ...rest } = facts;
  const entry = records.nodes.get(nodeId) ?? newEntry(nodeId);
  const { address } = entry.node;
  const isSwarms = entry.swarmVersion >= 0 && address !== "";
  const { reportedBlock: _before, ...known } = entry.node;
  const reported = reportedBlock === undefined ? {} : { reportedBlock };
  entry.node = { ...known, ...reported, ...rest, ...(isSwarms ? { address } : {}) };
  if (entry.sessionId !== sessionId) Object.assign(entry, { sessionId, reportSeq: 0, reportedFull: false });
  entry.seenAt = now;
  records.nodes.set(nodeId, entry);
  return entry.node.address;
}

/** See `StatusStore.saveReport`. */
export function saveReport(records: Records, report: StatusReport, now: number): SavedReport {
  const entry = records.nodes.get(report.nodeId);
  if (entry === undefined || entry.sessionId !== report.sessionId) {
    return { accepted: false, needFull: true, fresh: false, changed: false };
  }
  const fresh = report.seq >= entry.reportSeq;
  if (report.seq <= entry.reportSeq) return { accepted: true, needFull: !entry.reportedFull, fresh, changed: false };
  entry.reportSeq = report.seq;
  entry.reportedFull ||= report.full;
  entry.seenAt = now;
  for (const one of report.gone) records.removals.delete(removalKey({ nodeId: report.nodeId, ...one }));
  let changed = false;
  for (const [key, status] of latest(report)) {
    const before = records.locations.get(key);
    if (before === undefined || before.nodeId !== report.nodeId || !canBecome(before.state, status.state)) continue;
    changed ||= before.state !== status.state || before.health !== status.health;
    changed ||= before.address !== status.address;
    const { address: _, ...rest } = before;
    records.locations.set(key, {
      ...rest,
      ...(status.address === undefined ? {} : { address: status.address }),
      state: status.state,
      health: status.health,
      containers: status.containers,
      message: status.message,
      changedAt: before.state === status.state ? before.changedAt : now,
    });
  }
  return { accepted: true, needFull: !entry.reportedFull, fresh, changed };
}

/** See `StatusStore.saveBeats`. */
export function saveBeats(
  records: Records,
  beats: readonly { readonly nodeId: string; readonly load: NodeLoad | undefined }[],
  now: number,
): void {
  for (const { nodeId, load } of beats) {
    const entry = records.nodes.get(nodeId);
    if (entry === undefined) continue;
    entry.seenAt = now;
    if (load !== undefined) entry.node = { ...entry.node, load };
  }
}

/** See `StatusStore.saveUsage`. */
export function saveUsage(records: Records, usage: readonly Usage[]): void {
  for (const one of usage) if (records.locations.has(locationKey(one))) records.usage.set(locationKey(one), one);
}

/** See `StatusStore.saveSwarmNodes`. */
export function saveSwarmNodes(records: Records, nodes: readonly SwarmNode[]): boolean {
  if (nodes.length === 0) return false;
  const newest = Math.max(...nodes.map(node => node.versionIndex));
  const listed = new Set(nodes.map(node => node.nodeId));
  let changed = false;
  for (const [id, entry] of records.nodes) {
    const left = !listed.has(id) && entry.swarmVersion >= 0 && entry.swarmVersion < newest;
    if (!left || entry.swarmState === "removed") continue;
    entry.swarmState = "removed";
    changed = true;
  }
  for (const given of nodes) changed = saveSwarmNode(records, given) || changed;
  return changed;
}

function saveSwarmNode(records: Records, given: SwarmNode): boolean {
  const known = records.nodes.get(given.nodeId);
  const entry = known ?? newEntry(given.nodeId);
  if (entry.swarmVersion >= given.versionIndex) return false;
  const { role, availability, labels } = given;
  const { node } = entry;
  const address = swarmAddress(given.address) || node.address;
  const word = (state: string, of: Pick<Node, "role" | "availability" | "labels" | "address">): string =>
    JSON.stringify([state, of.role, of.availability, Object.entries(of.labels).toSorted(), of.address]);
  const changed = known === undefined || word(entry.swarmState, node) !== word(given.state, { ...given, address });
  const isRaised = known !== undefined && node.availability !== availability;
  entry.node = {
    ...(isRaised ? raised(node) : node),
    role,
    availability,
    labels,
    hostname: entry.sessionId === undefined ? given.hostname : node.hostname,
    address,
  };
  entry.swarmState = given.state;
  entry.swarmVersion = given.versionIndex;
  records.nodes.set(given.nodeId, entry);
  return changed;
}

/** See `StatusStore.loadDigests`. */
export function loadDigests(
  records: Records,
): ReadonlyMap<string, { readonly digest: bigint; readonly count: number }> {
  const digests = new Map<string, { readonly digest: bigint; readonly count: number }>();
  for (const location of records.locations.values()) {
    if (!isLive(location)) continue;
    const { digest, count } = digests.get(location.nodeId) ?? { digest: 0n, count: 0 };
    digests.set(location.nodeId, { digest: digest ^ digestOf(location), count: count + 1 });
  }
  return digests;
}

function digestOf(location: Location): bigint {
  return hash("md5", digestText(location), "buffer").readBigUInt64BE();
}

/** See `StatusStore.restoreLocation`. */
export function restoreLocation(records: Records, location: Location): boolean {
  const instance = records.instances.get(location.instanceId);
  const key = locationKey(location);
  const entry = records.nodes.get(location.nodeId);
  if (instance?.epoch !== location.epoch || records.locations.has(key) || entry === undefined) return false;
  // Whatever its state is said to be: it may run, and then the port is in use.
  const asLive: Location = { ...location, state: "running" };
  if (takesPortTwice([...records.locations.values(), asLive])) return false;
  if (takesReleasedPort([asLive], records.releasedPorts)) return false;
  records.locations.set(key, location);
  entry.node = raised(entry.node);
  return true;
}

/** See `PlatformStore.saveOrphans`. */
export function saveOrphans(records: Records, nodeId: string, orphans: readonly Removal[], now: number): void {
  const given = new Map(orphans.map(one => [removalKey({ nodeId, ...one }), one]));
  for (const [key, one] of records.orphans) if (one.nodeId === nodeId && !given.has(key)) records.orphans.delete(key);
  for (const [key, one] of given) {
    records.orphans.set(key, { nodeId, ...one, since: records.orphans.get(key)?.since ?? now });
  }
  for (const [id, highest] of highestSerials(orphans.map(one => one.instanceId))) {
    const known = records.serials.get(id);
    if (known === undefined) continue;
    const serials = skipBeyond(known, highest);
    records.serials.set(id, serials);
    const deployment = records.deployments.get(id);
    if (deployment !== undefined) records.deployments.set(id, { ...deployment, nextSerial: serials.next });
  }
}
