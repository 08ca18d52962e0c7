import type { NodeFacts, ReportedStatus, Usage } from "@skep/core/model/report.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { InstanceId } from "@skep/core/model/instance.ts";
import { formatBlock, parseBlock } from "@skep/core/network/block.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { ReportedVolume } from "@skep/core/model/volume.ts";
import type {
  InstanceUsage,
  NodeFacts as NodeFactsMessage,
  Stranger as StrangerMessage,
} from "../gen/skep/v1/agent_pb.ts";
import { ReportAckSchema, ReportSchema, type StrangerSchema } from "../gen/skep/v1/agent_pb.ts";
import { capacityFromProto, capacityToProto } from "./capacity.ts";
import { decodeMessage, encodeMessage, readEach } from "./envelope.ts";
import type { Unreadable } from "./envelope.ts";
import { idFromProto, statusFromProto, statusToProto } from "./instance.ts";
import { countFromProto, fromUint64, toUint32, toUint64 } from "./number.ts";
import { receiptFromProto } from "./receipt.ts";
import { volumeOnNodeFromProto, volumeOnNodeToProto } from "./volume-on-node.ts";

/** What a node says of itself, and which version of the agent says it. */
export interface AgentFacts extends NodeFacts {
  readonly agentVersion: string;
}

/** Containers with our labels that the agent was told nothing about. */
export interface Stranger {
  readonly status: ReportedStatus;
  readonly tenantId: string;
  readonly deploymentId: string;
  readonly release: number;
}

/** What changed on a node, or with `full` all that its agent sees. */
export interface Report {
  readonly nodeId: NodeId;
  readonly sessionId: string;
  /** Grows by one with each report of the session; a repetition keeps its number. */
  readonly seq: number;
  readonly full: boolean;
  /**
   * Which part it is of a full report that is too large for one message; each part has a seq of its
   * own.
   */
  readonly part?: { readonly number: number; readonly of: number };
  /** The assignment that the agent works by; `""`, 0 and 0 for none. */
  readonly incarnation: string;
  readonly appliedTerm: number;
  readonly appliedRevision: number;
  /** The stamp of that revision; absent where it came without one. */
  readonly appliedStamp?: number;
  /** The receipt of that assignment; absent where it came without one. */
  readonly receipt?: string;
  /** Only in a full report, and there in its first part. */
  readonly facts: AgentFacts | undefined;
  readonly statuses: readonly ReportedStatus[];
  /** Stopped, and nothing of them is left on the node. */
  readonly gone: readonly { readonly instanceId: InstanceId; readonly epoch: number }[];
  readonly strangers: readonly Stranger[];
  readonly usage: readonly Usage[];
  /**
   * All volumes of ours on the node; `undefined` where nothing changed since they were last told.
   */
  readonly volumes: readonly ReportedVolume[] | undefined;
}

/** The answer to a report. */
export interface ReportAck {
  readonly accepted: boolean;
  /** The session is not known, or something is missing: send everything. */
  readonly needFull: boolean;
  /** Why nothing of this session is accepted, for people; `""` where it is. */
  readonly because: string;
}

/** Whether all is said with it: the last part of a full report, or one that is no part. */
export function endsFull(report: Pick<Report, "full" | "part">): boolean {
  return report.full && (report.part === undefined || report.part.number === report.part.of);
}

/** Writes a report. */
export function encodeReport(report: Report): Uint8Array {
  const { facts, part } = report;
  return encodeMessage(ReportSchema, {
    nodeId: report.nodeId,
    sessionId: report.sessionId,
    seq: toUint64(report.seq),
    full: report.full,
    part: part?.number ?? 0,
    parts: part?.of ?? 0,
    incarnation: report.incarnation,
    appliedTerm: toUint64(report.appliedTerm),
    appliedRevision: toUint64(report.appliedRevision),
    appliedStamp: report.appliedStamp ?? 0,
    receipt: report.receipt ?? "",
    ...(facts === undefined
      ? {}
      : {
          facts: { ...facts, capacity: capacityToProto(facts.capacity), engineLabels: { ...facts.engineLabels } },
        }),
    statuses: report.statuses.map(statusToProto),
    gone: report.gone.map(one => ({ ...one })),
    strangers: report.strangers.map(strangerToProto),
    usage: report.usage.map(one => ({
      ...one,
      cpuMillis: toUint32(one.cpuMillis),
      memoryBytes: toUint64(one.memoryBytes),
    })),
    ...(report.volumes === undefined ? {} : { volumes: { volumes: report.volumes.map(volumeOnNodeToProto) } }),
  });
}

/**
 * Reads a report. What names an instance in words that this version does not know, or by an id, an
 * epoch or a release that the records cannot hold, is set aside in `unreadable`: rows keep what
 * they last said.
 * @throws SkepError as `decodeMessage`.
 */
export function decodeReport(bytes: Uint8Array): Report & { readonly unreadable: readonly Unreadable[] } {
  const message = decodeMessage(ReportSchema, bytes);
  const statuses = readEach(message.statuses, statusFromProto);
  const strangers = strangersFromProto(message.strangers);
  const gone = readEach(message.gone, ({ instanceId, epoch }) => ({
    ...{ instanceId: idFromProto(instanceId), epoch: countFromProto(epoch, `epoch of ${instanceId}`) },
  }));
  const usage = readEach(message.usage, usageFromProto);
  return {
    nodeId: message.nodeId,
    sessionId: message.sessionId,
    seq: fromUint64(message.seq, "report.seq"),
    full: message.full,
    ...(message.parts === 0 ? {} : { part: { number: message.part, of: message.parts } }),
    incarnation: message.incarnation,
    appliedTerm: fromUint64(message.appliedTerm, "report.applied_term"),
    appliedRevision: fromUint64(message.appliedRevision, "report.applied_revision"),
    ...(message.appliedStamp === 0 ? {} : { appliedStamp: message.appliedStamp }),
    ...receiptFromProto(message),
    facts: message.facts === undefined ? undefined : factsFromProto(message.facts),
    statuses: statuses.read,
    gone: gone.read,
    strangers: strangers.read,
    usage: usage.read,
    volumes: message.volumes?.volumes.map(volumeOnNodeFromProto),
    unreadable: [statuses, strangers, gone, usage].flatMap(one => one.unreadable),
  };
}

function usageFromProto({ instanceId, epoch, cpuMillis, memoryBytes }: InstanceUsage): Usage {
  return {
    instanceId: idFromProto(instanceId),
    epoch: countFromProto(epoch, `epoch of ${instanceId}`),
    cpuMillis,
    memoryBytes: fromUint64(memoryBytes, "usage.memory_bytes"),
  };
}

/** A stranger as its message. */
export function strangerToProto({ status, ...rest }: Stranger): MessageInitShape<typeof StrangerSchema> {
  return { ...rest, status: statusToProto(status) };
}

/** Reads each stranger; those in words that this version does not know are set aside. */
export function strangersFromProto(messages: readonly StrangerMessage[]): {
  readonly read: readonly Stranger[];
  readonly unreadable: readonly Unreadable[];
} {
  return readEach(
    messages.flatMap(({ status, ...rest }) =>
      status === undefined ? [] : [{ ...rest, status, instanceId: status.instanceId, epoch: status.epoch }],
    ),
    ({ status, tenantId, deploymentId, release }) => ({
      status: statusFromProto(status),
      tenantId,
      deploymentId,
      release: countFromProto(release, `release of ${status.instanceId}`),
    }),
  );
}

function factsFromProto(message: NodeFactsMessage): AgentFacts {
  const { nodeId, sessionId, bootId, hostname, address, os, architecture, engineVersion, agentVersion } = message;
  const block = parseBlock(message.block);
  return {
    nodeId,
    sessionId,
    bootId,
    hostname,
    address,
    os,
    architecture,
    engineVersion,
    agentVersion,
    engineLabels: { ...message.engineLabels },
    capacity: capacityFromProto(message.capacity),
    // What is no block is none: a node that works by none is given one.
    ...(block === undefined ? {} : { block: formatBlock(block) }),
  };
}

/** Writes the answer to a report. */
export function encodeReportAck(ack: ReportAck): Uint8Array {
  return encodeMessage(ReportAckSchema, { ...ack });
}

/** @throws SkepError as `decodeMessage`. */
export function decodeReportAck(bytes: Uint8Array): ReportAck {
  const { accepted, needFull, because } = decodeMessage(ReportAckSchema, bytes);
  return { accepted, needFull, because };
}
