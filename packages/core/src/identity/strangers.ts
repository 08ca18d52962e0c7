import type { InstanceStatus } from "../converge/status.ts";
import type { Removal } from "../model/assignment.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { isFinal, isLive } from "../model/state.ts";
import { parseInstanceId } from "../model/instance-id.ts";
import { knownSerial, SERIALS_BELIEVED, type Serials } from "./serials.ts";

/** The same before and after the numbers went on beyond it, so that it is said once. */
const NEVER_GIVEN =
  "its number was never given by these records, and new ones begin beyond it: they may be an older copy";
const NOT_BELIEVED =
  "its number was never given by these records, and is so high that new ones go on as before: look into its node";

/** One instance at one epoch as its agent reports it. */
export type Seen = Omit<InstanceStatus, "stranger">;

/** What an agent reports, as far as the records are compared with it. */
export interface SeenReport {
  readonly nodeId: NodeId;
  readonly full: boolean;
  readonly statuses: readonly Seen[];
  readonly gone: readonly { readonly instanceId: InstanceId; readonly epoch: number }[];
  readonly strangers: readonly { readonly status: Seen; readonly release: number }[];
}

/** What the records say of everything that a report names. */
export interface Evidence {
  /** The rows of the reporting node. */
  readonly rows: readonly Location[];
  /** The instances that the report names. */
  readonly instances: readonly Instance[];
  /** All rows of these instances, on any node. */
  readonly locations: readonly Location[];
  /** By the deployments that the report's ids name. */
  readonly serials: ReadonlyMap<DeploymentId, Serials>;
  /**
   * Numbers below this one may have been given out before the last recovery; 0 where there was
   * none.
   */
  readonly serialFloor: number;
}

/** Something with our labels on a node that may have no record. */
interface Found {
  readonly status: Seen;
  readonly release: number | undefined;
}

/** What becomes of something that was found on a node. */
export type Verdict =
  /** It has its row; its agent has only not been told yet. */
  | { readonly kind: "recorded" }
  /** Its row is missing: it is written as the agent sees it. */
  | { readonly kind: "restore"; readonly location: Location }
  /** The records show that it is over: it is removed. */
  | { readonly kind: "remove"; readonly because: string }
  /** The records do not know it. It is removed unless there is too much of the kind. */
  | { readonly kind: "unproven"; readonly because: string }
  /** The records may be wrong about it: nothing is touched, and people are told. */
  | { readonly kind: "left"; readonly because: string };

/** A verdict with what it is about. */
export interface Judged {
  readonly status: Seen;
  readonly verdict: Verdict;
}

/** What a report means for the records and for its node. */
export interface Examination {
  readonly judged: readonly Judged[];
  /** Rows of the node that its agent does not know: it has to be told again. */
  readonly unheard: readonly Location[];
}

/** The names of all instances in a report, which `Evidence` is to be about. */
export function namedInstances(report: SeenReport): readonly InstanceId[] {
  const all = [...report.statuses, ...report.strangers.map(one => one.status)];
  return [...new Set(all.map(one => one.instanceId))];
}

/**
 * Compares a report with the records. Only a full report can show that something recorded is
 * missing on the node.
 */
export function examine(report: SeenReport, evidence: Evidence, now: number): Examination {
  const recorded = new Set(evidence.rows.map(keyOf));
  const instances = new Map(evidence.instances.map(one => [one.id, one]));
  const locations = Map.groupBy(evidence.locations, one => one.instanceId);
  const judged = toJudge(report, recorded, instances).map(found => {
    const { instanceId } = found.status;
    const instance = instances.get(instanceId);
    const verdict =
      instance === undefined
        ? judgeUnknown(instanceId, evidence)
        : judgeKnown(found, instance, locations.get(instanceId) ?? [], { evidence, nodeId: report.nodeId, now });
    return { status: found.status, verdict };
  });
  const named = new Set([...report.statuses, ...report.gone, ...report.strangers.map(one => one.status)].map(keyOf));
  return {
    judged,
    unheard: report.full ? evidence.rows.filter(row => isLive(row) && !named.has(keyOf(row))) : [],
  };
}

/**
 * Strangers, and what was told to run but has no row. What is ending or over needs neither row nor
 * removal; but without its row what an instance has completed would be done once more.
 */
function toJudge(
  report: SeenReport,
  recorded: ReadonlySet<string>,
  instances: ReadonlyMap<InstanceId, Instance>,
): readonly Found[] {
  const unrecorded = report.statuses
    .filter(one => isWanted(one, instances) && !recorded.has(keyOf(one)))
    .map(status => ({ status, release: undefined }));
  return [...report.strangers, ...unrecorded];
}

function isWanted({ state, instanceId }: Seen, instances: ReadonlyMap<InstanceId, Instance>): boolean {
  if (state === "completed") return instances.get(instanceId)?.desired === "run";
  return !isFinal(state) && state !== "stopping";
}

/**
 * Whether there is still no trace of it in the records: its name may have been made again since it
 * was examined.
 */
export function isStillUnproven(instanceId: InstanceId, evidence: Evidence): boolean {
  const isRecorded = evidence.instances.some(one => one.id === instanceId);
  return !isRecorded && judgeUnknown(instanceId, evidence).kind === "unproven";
}

function judgeUnknown(instanceId: InstanceId, { serials, serialFloor }: Evidence): Verdict {
  const name = parseInstanceId(instanceId);
  const given = name === undefined ? undefined : serials.get(name.deploymentId);
  const known = knownSerial(instanceId, given);
  if (known === "given") return { kind: "remove", because: "it was ended while its node was away" };
  if (known === "never" && name !== undefined && given !== undefined)
    return { kind: "left", because: name.serial < SERIALS_BELIEVED ? NEVER_GIVEN : NOT_BELIEVED };
  const isFromBefore = known === "unsure" || (given === undefined && name !== undefined && name.serial < serialFloor);
  return isFromBefore
    ? { kind: "left", because: "it may be from before the records were recovered" }
    : { kind: "unproven", because: "no record explains it" };
}

function judgeKnown(
  found: Found,
  instance: Instance,
  locations: readonly Location[],
  { evidence, nodeId, now }: { readonly evidence: Evidence; readonly nodeId: NodeId; readonly now: number },
): Verdict {
  const { epoch } = found.status;
  const current = locations.find(one => one.epoch === instance.epoch);
  if (epoch > instance.epoch) {
    // After a recovery an absent node may bring a placement that the records lost. Its place was
    // taken since.
    if (evidence.serialFloor > 0 && current !== undefined && isLive(current) && current.nodeId !== nodeId) {
      return { kind: "remove", because: `it was placed on node ${current.nodeId} when the records were recovered` };
    }
    return { kind: "left", because: `it has epoch ${epoch} and the records know ${instance.epoch}` };
  }
  const row = locations.find(one => one.epoch === epoch);
  if (row?.nodeId === nodeId) return { kind: "recorded" };
  if (row !== undefined) return { kind: "remove", because: `epoch ${epoch} was placed on node ${row.nodeId}` };
  if (epoch < instance.epoch) {
    return { kind: "remove", because: `it has epoch ${epoch}, and ${instance.epoch} was placed since` };
  }
  return { kind: "restore", location: locationOf(found, instance, nodeId, now) };
}

function locationOf(found: Found, instance: Instance, nodeId: NodeId, now: number): Location {
  const { state, health, containers, ports, message, epoch, address } = found.status;
  return {
    instanceId: instance.id,
    deploymentId: instance.deploymentId,
    tenantId: instance.tenantId,
    release: found.release ?? instance.release,
    epoch,
    nodeId,
    desired: instance.desired,
    desiredAt: now,
    ports,
    state,
    health,
    containers,
    message,
    changedAt: now,
    ...(address === undefined ? {} : { address }),
  };
}

/** What an examination has removed for certain. */
export function provenRemovals({ judged }: Examination): readonly Removal[] {
  return judged.flatMap(({ status, verdict }) =>
    verdict.kind === "remove" ? [{ instanceId: status.instanceId, epoch: status.epoch, because: verdict.because }] : [],
  );
}

function keyOf(of: { readonly instanceId: InstanceId; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}
