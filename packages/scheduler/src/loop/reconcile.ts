import { encodeAsk } from "@skep/api/codec/ask.ts";
import { decodeReport, type Report } from "@skep/api/codec/report.ts";
import { everyNode, nodeSubject, parseNodeSubject } from "@skep/api/subjects.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { createWake } from "@skep/kit/wake.ts";
import type { Decision } from "../store/store.ts";
import type { Assignments } from "./assignments.ts";
import type { Beats } from "./beats.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import { createOutage } from "./outage.ts";
import type { LoopPorts, Running } from "./ports.ts";
import { examine, type Findings } from "./stranger-rule.ts";

/** The minute reconcile: records against what the agents see. */
export interface Reconcile extends Running {
  /** Compares now, and not only at the next minute. */
  soon(): void;
}

/** What it works with beside the ports. */
export interface ReconcileOptions {
  readonly leadership: Leadership;
  readonly assignments: Assignments;
  readonly beats: Beats;
  readonly hints: Hints;
  readonly wake: () => void;
}

const PERIOD_MS = 60_000;
/** A digest may differ because a report is on its way; who differs is asked at most this often. */
const GAP_MS = 1_000;
/** Beats that are older say nothing of now. */
const FRESH_MS = 3_000;
const AT_ONCE = 16;
const ASK_TIMEOUT_MS = 5_000;

/**
 * Begins with asking every node, since a new leader knows nothing of strangers; then compares digests each minute and
 * asks those that differ. Any report, asked for or not, is examined as it passes.
 */
export function createReconcile(ports: LoopPorts, options: ReconcileOptions): Reconcile {
  const { store, bus, clock, log } = ports;
  const { leadership, assignments, beats, hints } = options;
  const outage = createOutage("reconcile", ports);
  const reports = new Map<NodeId, Report>();
  /** Nodes whose strangers this leader has not heard of yet. */
  const asked = new Set<NodeId>();
  const said = new Set<string>();

  async function compare(): Promise<void> {
    const digests = await store.loadDigests();
    const differing: NodeId[] = [];
    for (const [nodeId, { beat, atMs }] of beats.all()) {
      if (beat === undefined || beats.awakeMs() - atMs > FRESH_MS) continue;
      const { digest = 0n, count = 0 } = digests.get(nodeId) ?? {};
      if (!asked.has(nodeId) || digest !== beat.digest || count !== beat.instances) differing.push(nodeId);
    }
    for (let from = 0; from < differing.length && leadership.holds(); from += AT_ONCE) {
      await Promise.all(differing.slice(from, from + AT_ONCE).map(ask));
    }
    outage.succeeded();
  }

  async function ask(nodeId: NodeId): Promise<void> {
    try {
      await bus.request(nodeSubject("ask", nodeId), encodeAsk({ kind: "report" }), { timeoutMs: ASK_TIMEOUT_MS });
      asked.add(nodeId);
    } catch (error) {
      log.debug("report.unasked", "An agent could not be asked for a full report.", { nodeId, error });
    }
  }

  async function examineAll(): Promise<void> {
    for (const [nodeId, report] of [...reports]) {
      if (!leadership.holds()) return;
      const findings = await examine(store, report, clock.now());
      if (leadership.holds()) await act(nodeId, report, findings);
      if (reports.get(nodeId) === report) reports.delete(nodeId);
    }
    outage.succeeded();
  }

  async function act(nodeId: NodeId, report: Report, findings: Findings): Promise<void> {
    // What cannot be restored is placed anew by the tick; what runs of it is then older than its instance, and goes.
    const refused: Location[] = [];
    for (const location of findings.restore) if (!(await store.restoreLocation(location))) refused.push(location);
    const before = assignments.removals(nodeId);
    const kept = before.filter(old => !isGone(report, old));
    const removals = [...kept, ...findings.removals.filter(one => !kept.some(old => isSame(old, one)))];
    // An agent that knows of a removal does not call it a stranger: one that is found again was never told.
    const isNews = findings.removals.length > 0;
    assignments.setRemovals(nodeId, removals);
    if (isNews) await store.raiseRevisions([nodeId], leadership.term);
    if (findings.unheard.length > 0) assignments.again(nodeId);
    if (isNews || findings.unheard.length > 0 || findings.restore.length > 0) options.wake();
    const isRefused = (one: Decision): boolean =>
      one.kind === "location.restored" &&
      refused.some(location => location.instanceId === one.instanceId && location.epoch === one.epoch);
    await tell(findings.decisions.filter(one => !isRefused(one)));
  }

  /** What is found again with each report is said once. */
  async function tell(decisions: readonly Decision[]): Promise<void> {
    const news = decisions.filter(one => !said.has(wordOf(one)));
    if (news.length === 0) return;
    for (const decision of news) {
      said.add(wordOf(decision));
      const { kind, sentence, ...fields } = decision;
      log.warn(kind, sentence, fields);
    }
    hints.tell({ events: news, nodeIds: news.flatMap(one => one.nodeId ?? []), deploymentIds: news.flatMap(one => one.deploymentId ?? []) });
    await store.saveDecisions(news);
  }

  const subscription = bus.subscribe(everyNode("report"), message => {
    try {
      const report = decodeReport(message.data);
      const ended = report.gone.length > 0 && assignments.removals(report.nodeId).length > 0;
      const isOfNote = report.full || report.strangers.length > 0 || ended;
      // A partial report must not hide a full one that still waits to be examined.
      if (!isOfNote || (reports.get(report.nodeId)?.full === true && !report.full)) return;
      reports.set(report.nodeId, report);
      examining.hint();
    } catch {
      // The one that absorbs it has said so.
    }
  });
  // Any replica may answer an agent's fetch, and only this one knows the removals: a higher revision brings them after.
  const fetches = bus.subscribe(everyNode("fetch"), ({ subject }) => {
    const nodeId = parseNodeSubject(subject)?.nodeId;
    if (nodeId === undefined || assignments.removals(nodeId).length === 0) return;
    store.raiseRevisions([nodeId], leadership.term).then(options.wake, outage.failed);
  });
  const onError = (wake: { at(time: number): void }) => (error: unknown) => wake.at(clock.now() + outage.failed(error));
  const comparing = createWake(compare, { minGapMs: GAP_MS, periodMs: PERIOD_MS }, clock, error => onError(comparing)(error));
  const examining = createWake(examineAll, { minGapMs: 100, periodMs: PERIOD_MS }, clock, error => onError(examining)(error));
  // The first beats come within a second.
  comparing.at(clock.now() + 1_500);
  return {
    soon: () => comparing.hint(),
    close: async () => {
      subscription.close();
      fetches.close();
      await Promise.all([comparing.close(), examining.close()]);
    },
  };
}

type Named = { readonly instanceId: string; readonly epoch: number };

function isSame(a: Named, b: Named): boolean {
  return a.instanceId === b.instanceId && a.epoch === b.epoch;
}

/** Whether the report shows that nothing is left: it says so, or it is full and does not name it. */
function isGone(report: Report, one: Named): boolean {
  if (report.gone.some(gone => isSame(gone, one))) return true;
  const named = [...report.statuses, ...report.strangers.map(stranger => stranger.status)];
  return report.full && !named.some(status => isSame(status, one));
}

function wordOf(decision: Decision): string {
  return `${decision.kind} ${decision.nodeId} ${decision.instanceId} ${decision.epoch} ${decision.sentence}`;
}
