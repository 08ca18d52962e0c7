import type { ReportedStatus } from "@skep/core/model/report.ts";
import { decodeLeaseRequest, encodeLeaseReply } from "@skep/api/codec/lease.ts";
import { decodeAskReply, type AskReply } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk, type Ask } from "@skep/api/codec/ask.ts";
import { decodeFetch, encodeAssignment, encodeFetchReply, type AssignmentFetch } from "@skep/api/codec/assignment.ts";
import { decodeBeat, type Beat } from "@skep/api/codec/beat.ts";
import { decodeReport, encodeReportAck, type Report, type ReportAck } from "@skep/api/codec/report.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { LeaseClaim } from "@skep/core/identity/bridge.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Bus } from "@skep/kit/bus.ts";

/** A scheduler that does nothing but hear and answer. */
export interface FakeScheduler {
  readonly bus: Bus;
  readonly reports: Report[];
  readonly beats: Beat[];
  readonly fetches: AssignmentFetch[];
  /** What it heard, in order, by subject kind. */
  readonly heard: string[];
  /** What it knows of each instance, as reports say it. */
  readonly known: Map<string, ReportedStatus>;
  /** What it answers to reports; `undefined` leaves them without answer. */
  ack: ReportAck | undefined;
  /** How long it lets exclusive instances run; `undefined` leaves requests without answer. */
  leaseMs: number | undefined;
  refusesLeases: boolean;
  /** What was asked for in the last request for leases. */
  lastClaims(): readonly LeaseClaim[];
  /** What it answers to a fetch, and what `assign` publishes. */
  assignment: Assignment | undefined;
  assign(assignment: Assignment): void;
  ask(ask: Ask): Promise<AskReply>;
}

/** Puts such a scheduler on a bus; it speaks to the agent of one node. */
export function fakeScheduler(bus: Bus, nodeId = "node-1"): FakeScheduler {
  let claims: readonly LeaseClaim[] = [];
  const scheduler: FakeScheduler = {
    lastClaims: () => claims,
    bus,
    reports: [],
    beats: [],
    fetches: [],
    heard: [],
    known: new Map(),
    leaseMs: 15_000,
    refusesLeases: false,
    assignment: undefined,
    ack: {
      accepted: true,
      needFull: false,
      because: "",
    },
    assign: assignment => {
      scheduler.assignment = assignment;
      bus.publish(nodeSubject("assign", assignment.nodeId), encodeAssignment(assignment));
    },
    ask: async ask =>
      decodeAskReply(await bus.request(nodeSubject("ask", nodeId), encodeAsk(ask), { timeoutMs: 5_000 })),
  };
  bus.subscribe("skep.v1.report.*", message => {
    const report = decodeReport(message.data);
    scheduler.heard.push(report.full ? "full" : "report");
    scheduler.reports.push(report);
    if (scheduler.ack === undefined) return;
    if (scheduler.ack.accepted) {
      for (const status of report.statuses) scheduler.known.set(`${status.instanceId}@${status.epoch}`, status);
    }
    message.reply(encodeReportAck(scheduler.ack));
  });
  bus.subscribe("skep.v1.lease.*", message => {
    scheduler.heard.push("lease");
    const { instances } = decodeLeaseRequest(message.data);
    claims = instances;
    if (scheduler.leaseMs === undefined) return;
    message.reply(encodeLeaseReply({ granted: scheduler.refusesLeases ? [] : instances, leaseMs: scheduler.leaseMs }));
  });
  bus.subscribe("skep.v1.beat.*", message => {
    scheduler.heard.push("beat");
    scheduler.beats.push(decodeBeat(message.data));
  });
  bus.subscribe("skep.v1.fetch.*", message => {
    const fetch = decodeFetch(message.data);
    scheduler.fetches.push(fetch);
    const { term, revision } = fetch;
    const held = scheduler.assignment;
    const isCurrent = held?.term === term && held.revision === revision;
    message.reply(encodeFetchReply(isCurrent ? undefined : held));
  });
  return scheduler;
}
