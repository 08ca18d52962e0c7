import { decodeLeaseRequest, encodeLeaseReply, type LeaseRequest } from "@skep/api/codec/lease.ts";
import { decodeFetch, encodeFetchReply, type AssignmentFetch } from "@skep/api/codec/assignment.ts";
import { decodeSpecFetch, encodeSpecPart, specPart, type SpecFetch } from "@skep/api/codec/spec-name.ts";
import { mayHaveGiven } from "@skep/core/identity/assignment-line.ts";
import type { Holding } from "@skep/core/identity/records-age.ts";
import { everyNode } from "@skep/api/subjects.ts";
import type { BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { Outage } from "@skep/kit/loops.ts";
import type { Beats } from "./beats.ts";
import type { Listen } from "./listen.ts";
import type { LoopPorts } from "./ports.ts";
import type { Senders } from "./senders.ts";

/** Whether the records are the fleet's, as this process judges it by what it hears. */
export interface JudgedRecords {
  /** Whether they were when they were last read; `false` before that. */
  areOurs(): boolean;
  /** How long this process has seen that they are marked as not the fleet's; 0 where not. */
  unrecoveredMs(): number;
  /** Whether an agent claims to be ahead of them and cannot show it: it counts for nothing. */
  isUnproven(held: Holding): boolean;
}

/** What the answers are made with beside the ports. */
export interface AnswerOptions {
  readonly beats: Beats;
  readonly senders: Senders;
  readonly outage: Pick<Outage, "succeeded" | "failed">;
  readonly listen: Listen;
  readonly records: JudgedRecords;
}

/**
 * Answers what agents ask: their assignment, the specs that it only names, leases. No answer is
 * larger than a message.
 */
export function answerAgents(ports: LoopPorts, options: AnswerOptions): readonly BusSubscription[] {
  const { store, bus, settings } = ports;
  const { beats, senders, outage, listen, records } = options;

  async function answerFetch(fetch: AssignmentFetch, message: BusMessage): Promise<void> {
    const assignment = await store.loadAssignment(fetch.nodeId);
    const isOurs = assignment?.incarnation === fetch.incarnation;
    const isSame = assignment?.term === fetch.term && assignment.revision === fetch.revision;
    const isCurrent = isOurs && isSame && mayHaveGiven(assignment, fetch);
    message.reply(encodeFetchReply(isCurrent ? undefined : assignment, bus.maxPayload()));
  }

  async function answerSpec({ nodeId, deploymentId, release, offset }: SpecFetch, message: BusMessage): Promise<void> {
    const spec = await store.loadSpec(nodeId, deploymentId, release);
    message.reply(encodeSpecPart(specPart(spec, offset, bus.maxPayload())));
  }

  /**
   * Records that nobody has judged yet, or that are about to be found out, give no lease and refuse
   * none: without an answer an agent asks again, and its copy runs on until its lease ends.
   */
  async function answerLease({ nodeId, instances }: LeaseRequest, message: BusMessage): Promise<void> {
    const leaseMs = settings.exclusiveLeaseMs;
    const isJudged = records.areOurs();
    const mayBegin = records.unrecoveredMs() > leaseMs;
    const { granted, isBridged } = await store.renewLeases(nodeId, instances, { leaseMs, mayBegin });
    if (isBridged || isJudged) message.reply(encodeLeaseReply({ granted, leaseMs }));
  }

  return [
    listen(everyNode("lease"), "request for leases", message => {
      const request = decodeLeaseRequest(message.data);
      if (!senders.isGenuine(message.subject, request.nodeId)) return;
      void answerLease(request, message).then(outage.succeeded, outage.failed);
    }),
    listen(everyNode("fetch"), "fetch", message => {
      const fetch = decodeFetch(message.data);
      if (!senders.isGenuine(message.subject, fetch.nodeId)) return;
      if (beats.isRefused(fetch.nodeId, fetch.sessionId) || records.isUnproven(fetch)) return;
      beats.note(fetch.nodeId);
      void answerFetch(fetch, message).then(outage.succeeded, outage.failed);
    }),
    listen(everyNode("spec"), "request for a spec", message => {
      const fetch = decodeSpecFetch(message.data);
      if (!senders.isGenuine(message.subject, fetch.nodeId)) return;
      void answerSpec(fetch, message).then(outage.succeeded, outage.failed);
    }),
  ];
}
