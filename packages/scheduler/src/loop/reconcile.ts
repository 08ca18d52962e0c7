import { decodeReport, type Report } from "@skep/api/codec/report.ts";
import { createReportParts } from "@skep/api/codec/report-parts.ts";
import { everyNode } from "@skep/api/subjects.ts";
import { examine, namedInstances } from "@skep/core/identity/strangers.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "./beats.ts";
import { createComparison } from "./compare.ts";
import { createFindings, type FindingsOptions } from "./findings.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { holdingOf, type RecordsGuard } from "./records-guard.ts";
import type { Senders } from "./senders.ts";

/** The minute reconcile: records against what the agents see. */
export interface Reconcile extends Running {
  /** Compares now, and not only at the next minute. */
  soon(): void;
}

/** What it works with beside the ports. */
export interface ReconcileOptions extends FindingsOptions {
  readonly guard: RecordsGuard;
  readonly beats: Beats;
  readonly senders: Senders;
}

/** Below a minute, so that what is found is also repaired within one. */
const PERIOD_MS = 45_000;
/** A report may be on its way, so an agent whose digest differs is asked at most this often. */
const GAP_MS = 1_000;
const AT_ONCE = 8;
/** The first beats come within a second. */
const FIRST_MS = 1_500;
/**
 * A copy whose row could not be written is placed anew within ten seconds, and then it has to go.
 */
const AGAIN_MS = 5_000;

/**
 * Compares digests when it begins and each minute, and asks agents that differ for a full report.
 * Any report, asked for or not, is examined on its way to the replica that absorbs it.
 */
export function createReconcile(ports: LoopPorts, options: ReconcileOptions): Reconcile {
  const { store, bus, clock, loops } = ports;
  const { leadership, guard, removals, beats } = options;
  const findings = createFindings(ports, options);
  const comparison = createComparison(ports, { beats, leadership, knows: findings.knows });
  /** What waits to be examined, in order: a later report may tell of a stranger of its own. */
  const reports = new Map<NodeId, Report[]>();
  const parts = createReportParts();

  async function examineOne(nodeId: NodeId, report: Report): Promise<void> {
    const { mark, ...evidence } = await store.loadEvidence(nodeId, namedInstances(report));
    const isAdmitted = await guard.admitReport(holdingOf(report), mark);
    if (!isAdmitted || !leadership.holds()) return;
    if (await findings.act(report, examine(report, evidence, clock.now()))) comparing.at(clock.now() + AGAIN_MS);
  }

  async function examineNode(nodeId: NodeId, waiting: Report[]): Promise<void> {
    for (let next = waiting[0]; next !== undefined && leadership.holds(); next = waiting[0]) {
      await examineOne(nodeId, next);
      waiting.shift();
    }
    if (reports.get(nodeId) === waiting) reports.delete(nodeId);
  }

  /** Several nodes are examined at once: most of the time is the database's. */
  async function examineAll(): Promise<void> {
    const listenForMs = guard.listenForMs();
    if (listenForMs > 0) return examining.at(clock.now() + listenForMs);
    const waiting = [...reports];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && leadership.holds(); next = waiting.shift()) {
        await examineNode(...next);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
    const failed = ends.find(end => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
    const present = new Set([...comparison.present(), ...guard.reporting()]);
    const isToBeSeen = leadership.holds() && (await findings.settle(present));
    if (isToBeSeen) comparing.at(clock.now() + AGAIN_MS);
  }

  const comparing = loops.begin("reconcile", () => comparison.compare(), { minGapMs: GAP_MS, periodMs: PERIOD_MS });
  const examining = loops.begin("examine", examineAll, { minGapMs: 100, periodMs: PERIOD_MS });
  const subscription = bus.subscribe(everyNode("report"), message => {
    const heard = read(message.data);
    if (heard === undefined || !options.senders.isGenuine(message.subject, heard.nodeId)) return;
    const report = parts.add(heard);
    if (report === undefined) return;
    if (report.full) comparison.heard(report.nodeId);
    guard.heard(holdingOf(report));
    const isOfNote = report.full || report.strangers.length > 0 || removals.of(report.nodeId).length > 0;
    if (!isOfNote) return;
    const waiting = reports.get(report.nodeId);
    // A full one says all that those before it did.
    if (waiting === undefined || report.full) reports.set(report.nodeId, [report]);
    else waiting.push(report);
    examining.hint();
  });
  comparing.at(clock.now() + FIRST_MS);
  return {
    soon: () => comparing.hint(),
    close: async () => {
      subscription.close();
      await Promise.all([comparing.close(), examining.close(), comparison.close()]);
    },
  };
}

/** A report that cannot be read is left to the one that absorbs it, who says so. */
function read(data: Uint8Array): Report | undefined {
  try {
    return decodeReport(data);
  } catch {
    return undefined;
  }
}
