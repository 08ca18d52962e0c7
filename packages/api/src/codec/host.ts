import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AssignedWorkspace, HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostAnswer, HostedStatus, HostReport, WorkspaceEpoch } from "@skep/core/workspace/host-report.ts";
import {
  HostedDesired,
  HostedState,
  type AssignedWorkspaceSchema,
  type AssignedWorkspace as AssignedMessage,
  type HostAssignment as AssignmentMessage,
  type HostAssignmentSchema,
  type HostedStatus as StatusMessage,
  type HostedStatusSchema,
  type ReportRequest,
  type ReportRequestSchema,
  type ReportResponse,
  type ReportResponseSchema,
  type WorkspaceEpoch as EpochMessage,
  type WorkspaceEpochSchema,
} from "../gen/skep/v1/host_pb.ts";
import { connectorFromProto, connectorToProto } from "./connector.ts";
import { enumTable } from "./enum-table.ts";
import { moveFactsFromProto, moveFactsToProto, moveOrderFromProto, moveOrderToProto } from "./move.ts";
import { fromUint64, toUint32, toUint64 } from "./number.ts";

const desires = enumTable<AssignedWorkspace["desired"], HostedDesired>("desired state", {
  run: HostedDesired.RUN,
  stop: HostedDesired.STOP,
});

const states = enumTable<HostedStatus["state"], HostedState>("state", {
  assigned: HostedState.ASSIGNED,
  running: HostedState.RUNNING,
  stopped: HostedState.STOPPED,
});

/** An assignment as a message. */
export function hostAssignmentToProto(value: HostAssignment): MessageInitShape<typeof HostAssignmentSchema> {
  const { hostId, incarnation, term, revision, workspaces } = value;
  return {
    ...{ hostId, incarnation, term: toUint64(term), revision: toUint64(revision) },
    workspaces: workspaces.map(assignedToProto),
  };
}

/**
 * A message as an assignment. An entry that only a newer program could read is left out, and so not
 * touched. @throws SkepError `invalid_argument` `OUT_OF_RANGE`.
 */
export function hostAssignmentFromProto(message: AssignmentMessage): HostAssignment {
  const { hostId, incarnation, term, revision, workspaces } = message;
  return {
    ...{ hostId, incarnation, term: fromUint64(term, "term"), revision: fromUint64(revision, "revision") },
    workspaces: workspaces.flatMap(one =>
      one.connector === undefined || one.desired === HostedDesired.UNSPECIFIED ? [] : assignedFromProto(one),
    ),
  };
}

function assignedToProto(one: AssignedWorkspace): MessageInitShape<typeof AssignedWorkspaceSchema> {
  return {
    ...{ id: one.id, epoch: toUint64(one.epoch), desired: desires.toProto(one.desired) },
    ...{ connector: connectorToProto(one.connector), version: toUint64(one.version) },
    ...{ restarts: toUint64(one.restarts), databasePoolSize: one.databasePool },
    ...{ instances: one.instances ?? 0, removesData: one.removesData === true },
    isDropped: one.isDropped === true,
    ...{ rulesVersion: toUint64(one.rulesVersion), isStandby: one.role === "standby" },
    ...(one.move === undefined ? {} : { move: moveOrderToProto(one.move) }),
  };
}

function assignedFromProto(message: AssignedMessage): AssignedWorkspace | [] {
  const { id, connector } = message;
  if (connector === undefined) return [];
  return {
    ...{ id, connector: connectorFromProto(connector), databasePool: message.databasePoolSize },
    ...(message.instances > 1 ? { instances: message.instances } : {}),
    ...(message.removesData ? { removesData: true as const } : {}),
    ...(message.isDropped ? { isDropped: true as const } : {}),
    epoch: fromUint64(message.epoch, "epoch"),
    desired: desires.fromProto(message.desired, "desired"),
    version: fromUint64(message.version, "version"),
    restarts: fromUint64(message.restarts, "restarts"),
    rulesVersion: fromUint64(message.rulesVersion, "rules_version"),
    ...(message.isStandby ? { role: "standby" } : {}),
    ...(message.move === undefined ? {} : { move: moveOrderFromProto(message.move) }),
  };
}

/** A report as a message. */
export function hostReportToProto(report: HostReport): MessageInitShape<typeof ReportRequestSchema> {
  const { hostId, nodeId, workspaceId = "", startedAt, version, seq, availability, most, load, applied } = report;
  const { address, eventsPort } = report;
  return {
    ...{ address, eventsPort },
    ...{ hostId, nodeId, workspaceId, startedAtMs: BigInt(startedAt), version, seq: toUint64(seq), most },
    draining: availability === "drain",
    load: { ...load, connections: toUint32(load.connections) },
    appliedIncarnation: applied.incarnation,
    appliedTerm: toUint64(applied.term),
    appliedRevision: toUint64(applied.revision),
    workspaces: report.workspaces.map(statusToProto),
  };
}

/** A message as a report. @throws SkepError `invalid_argument` `OUT_OF_RANGE`, `UNKNOWN_ENUM`. */
export function hostReportFromProto(message: ReportRequest): HostReport {
  const { hostId, nodeId, workspaceId, version, most, load, address, eventsPort } = message;
  return {
    ...{ hostId, nodeId, version, most, address, eventsPort, workspaceId: workspaceId || undefined },
    startedAt: fromUint64(message.startedAtMs, "started_at_ms"),
    seq: fromUint64(message.seq, "seq"),
    availability: message.draining ? "drain" : "active",
    load: {
      connections: load?.connections ?? 0,
      messagesPerSecond: load?.messagesPerSecond ?? 0,
      memoryShare: load?.memoryShare ?? 0,
    },
    applied: {
      incarnation: message.appliedIncarnation,
      term: fromUint64(message.appliedTerm, "applied_term"),
      revision: fromUint64(message.appliedRevision, "applied_revision"),
    },
    workspaces: message.workspaces.map((one, index) => statusFromProto(one, `workspaces[${index}]`)),
  };
}

const MOST_ERROR = 2000;
const MOST_COUNTS = 200;

function statusToProto(one: HostedStatus): MessageInitShape<typeof HostedStatusSchema> {
  const { workspaceId, epoch, state, isHealthy, counts, lastError } = one;
  return {
    ...{ workspaceId, epoch: toUint64(epoch), state: states.toProto(state), isHealthy, counts: bounded(counts) },
    lastError: lastError.slice(0, MOST_ERROR),
    ...(one.move === undefined ? {} : { move: moveFactsToProto(one.move) }),
  };
}

/** One number too many would end the lease of all that is reported. */
function bounded(counts: HostedStatus["counts"]): HostedStatus["counts"] {
  const all = Object.entries(counts);
  return all.length <= MOST_COUNTS ? counts : Object.fromEntries(all.slice(0, MOST_COUNTS));
}

function statusFromProto(message: StatusMessage, path: string): HostedStatus {
  const { workspaceId, isHealthy, counts, lastError } = message;
  return {
    ...{ workspaceId, isHealthy, counts, lastError },
    epoch: fromUint64(message.epoch, `${path}.epoch`),
    state: states.fromProto(message.state, `${path}.state`),
    ...(message.move === undefined ? {} : { move: moveFactsFromProto(message.move, `${path}.move`) }),
  };
}

/** An answer as a message. */
export function hostAnswerToProto(answer: HostAnswer): MessageInitShape<typeof ReportResponseSchema> {
  const { holdMs, granted, ended, anew, revision } = answer;
  const epochs = { granted: granted.map(epochToProto), ended: ended.map(epochToProto) };
  return { holdMs, anew, revision: toUint64(revision), ...epochs };
}

/** A message as an answer. @throws SkepError `invalid_argument` `OUT_OF_RANGE`. */
export function hostAnswerFromProto({ holdMs, granted, ended, anew, revision }: ReportResponse): HostAnswer {
  const epochs = { granted: granted.map(epochFromProto), ended: ended.map(epochFromProto) };
  return { holdMs, anew, revision: fromUint64(revision, "revision"), ...epochs };
}

function epochToProto({ workspaceId, epoch }: WorkspaceEpoch): MessageInitShape<typeof WorkspaceEpochSchema> {
  return { workspaceId, epoch: toUint64(epoch) };
}

function epochFromProto({ workspaceId, epoch }: EpochMessage): WorkspaceEpoch {
  return { workspaceId, epoch: fromUint64(epoch, "epoch") };
}
