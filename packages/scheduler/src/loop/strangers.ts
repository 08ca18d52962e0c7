import type { ReportedStatus } from "@skep/api/codec/instance.ts";
import type { Report } from "@skep/api/codec/report.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { isFinal } from "@skep/core/model/state.ts";

/** Something with our labels on a node that may have no record. */
export interface Found {
  readonly status: ReportedStatus;
  readonly release: number | undefined;
}

/** What the records say of an instance's id. */
export interface Recorded {
  readonly instance: Instance | undefined;
  readonly locations: readonly Location[];
  /** Whether the records show that there once was such an instance: its number was given out, or a decision names it. */
  readonly wasKnown: boolean;
}

/** What becomes of something that was found on a node. */
export type Verdict =
  /** It has its row; its agent has only not been told yet. */
  | { readonly kind: "recorded" }
  /** Its row is missing: it is written as the agent sees it. */
  | { readonly kind: "restore"; readonly location: Location }
  /** It is removed. `proven`: the records show that it is over; otherwise they just do not know it. */
  | { readonly kind: "remove"; readonly because: string; readonly proven: boolean }
  /** It is newer than the records, which can only be if these are not the latest: nothing is touched. */
  | { readonly kind: "ahead"; readonly because: string };

/** The rule for one thing found on `nodeId`. */
export function judge(found: Found, recorded: Recorded, nodeId: NodeId, now: number): Verdict {
  const { status } = found;
  const { instance } = recorded;
  if (instance === undefined) {
    return recorded.wasKnown
      ? { kind: "remove", because: "it was ended while its node was away", proven: true }
      : { kind: "remove", because: "no record explains it", proven: false };
  }
  if (status.epoch > instance.epoch) {
    return { kind: "ahead", because: `it has epoch ${status.epoch} and the records know ${instance.epoch}` };
  }
  const row = recorded.locations.find(location => location.epoch === status.epoch);
  if (row?.nodeId === nodeId) return { kind: "recorded" };
  if (row !== undefined) {
    return { kind: "remove", because: `epoch ${status.epoch} was placed on node ${row.nodeId}`, proven: true };
  }
  if (status.epoch < instance.epoch) {
    return {
      kind: "remove",
      because: `it has epoch ${status.epoch}, and ${instance.epoch} was placed since`,
      proven: true,
    };
  }
  return { kind: "restore", location: locationOf(found, instance, nodeId, now) };
}

function locationOf(found: Found, instance: Instance, nodeId: NodeId, now: number): Location {
  const { state, health, containers, ports, message, epoch } = found.status;
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
  };
}

/**
 * What of a report has to be looked up: its strangers, and what it was told to run but `isRecorded` has no row for. What
 * is ending or over needs neither row nor removal.
 */
export function toJudge(report: Report, isRecorded: (status: ReportedStatus) => boolean): readonly Found[] {
  const strangers = report.strangers.map(({ status, release }) => ({ status, release }));
  const unrecorded = report.statuses
    .filter(status => !isFinal(status.state) && status.state !== "stopping" && !isRecorded(status))
    .map(status => ({ status, release: undefined }));
  return [...strangers, ...unrecorded];
}

/** Whether so much on one node has no explanation at all that it is likelier that the records are wrong. */
export function tooManyToRemove(unproven: number, onNode: number): boolean {
  return unproven > Math.max(3, onNode / 3);
}
