import { decodeReport, type Report } from "@skep/api/codec/report.ts";
import { everyNode, parseNodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "./beats.ts";
import { createComparison } from "./compare.ts";
import { createFindingsAct, type FindingsOptions } from "./findings.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { examine } from "./stranger-rule.ts";

/** The minute reconcile: records against what the agents see. */
export interface Reconcile extends Running {
  /** Compares now, and not only at the next minute. */
  soon(): void;
}

/** What it works with beside the ports. */
export interface ReconcileOptions extends FindingsOptions {
  readonly beats: Beats;
}

/** Below a minute, so that what is found is also repaired within one. */
const PERIOD_MS = 45_000;
/** A digest may differ because a report is on its way; who differs is asked at most this often. */
const GAP_MS = 1_000;
const AT_ONCE = 8;
/** The first beats come within a second. */
const FIRST_MS = 1_500;

/**
 * Compares digests when it begins and each minute, and asks agents that differ for a full report. Any report, asked for
 * or not, is examined as it passes on its way to whoever absorbs it.
 */
export function createReconcile(ports: LoopPorts, options: ReconcileOptions): Reconcile {
  const { store, bus, clock, loops } = ports;
  const { leadership, assignments, beats } = options;
  const compare = createComparison(ports, beats, leadership);
  const act = createFindingsAct(ports, options);
  const reports = new Map<NodeId, Report>();

  async function examineOne(nodeId: NodeId, report: Report): Promise<void> {
    const findings = await examine(store, report, clock.now());
    if (leadership.holds()) await act(nodeId, report, findings);
    if (reports.get(nodeId) === report) reports.delete(nodeId);
  }

  /** Nodes have nothing to do with each other, so several are examined at once; most of the time is the database's. */
  async function examineAll(): Promise<void> {
    const waiting = [...reports];
    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && leadership.holds(); next = waiting.shift()) {
        await examineOne(...next);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
    const failed = ends.find(end => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  const comparing = loops.begin("reconcile", compare, { minGapMs: GAP_MS, periodMs: PERIOD_MS });
  const examining = loops.begin("examine", examineAll, { minGapMs: 100, periodMs: PERIOD_MS });
  const raising = loops.watch("removals");
  const subscription = bus.subscribe(everyNode("report"), message => {
    const report = read(message.data);
    if (report === undefined) return;
    const ended = report.gone.length > 0 && assignments.removals(report.nodeId).length > 0;
    const isOfNote = report.full || report.strangers.length > 0 || ended;
    // A partial report must not hide a full one that still waits to be examined.
    if (!isOfNote || (reports.get(report.nodeId)?.full === true && !report.full)) return;
    reports.set(report.nodeId, report);
    examining.hint();
  });
  // Any replica may answer an agent's fetch, and only this one knows the removals: a higher revision brings them after.
  const fetches = bus.subscribe(everyNode("fetch"), ({ subject }) => {
    const nodeId = parseNodeSubject(subject)?.nodeId;
    if (nodeId === undefined || assignments.removals(nodeId).length === 0) return;
    store.raiseRevisions([nodeId], leadership.term).then(() => {
      raising.succeeded();
      options.wake();
    }, raising.failed);
  });
  comparing.at(clock.now() + FIRST_MS);
  return {
    soon: () => comparing.hint(),
    close: async () => {
      subscription.close();
      fetches.close();
      await Promise.all([comparing.close(), examining.close()]);
      raising.close();
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
