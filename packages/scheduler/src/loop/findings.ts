import type { Report } from "@skep/api/codec/report.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Decision } from "../store/store.ts";
import type { Assignments } from "./assignments.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";
import type { Findings } from "./stranger-rule.ts";

/** What acting on findings needs beside the ports. */
export interface FindingsOptions {
  readonly leadership: Leadership;
  readonly assignments: Assignments;
  readonly hints: Hints;
  readonly wake: () => void;
}

const MOST_SAID = 10_000;

/** Makes the function that carries out what a report was found to mean: rows written, removals told, all of it said once. */
export function createFindingsAct(
  ports: Pick<LoopPorts, "store" | "log">,
  { leadership, assignments, hints, wake }: FindingsOptions,
): (nodeId: NodeId, report: Report, findings: Findings) => Promise<void> {
  const { store, log } = ports;
  const said = new Set<string>();

  async function tell(decisions: readonly Decision[]): Promise<void> {
    const news = decisions.filter(one => !said.has(wordOf(one)));
    if (news.length === 0) return;
    if (said.size > MOST_SAID) said.clear();
    for (const decision of news) {
      said.add(wordOf(decision));
      const { kind, sentence, ...fields } = decision;
      log.warn(kind, sentence, fields);
    }
    const nodeIds = news.flatMap(one => one.nodeId ?? []);
    hints.tell({ events: news, nodeIds, deploymentIds: news.flatMap(one => one.deploymentId ?? []) });
    await store.saveDecisions(news);
  }

  return async (nodeId, report, findings) => {
    // What cannot be restored is placed anew by the tick; what runs of it is then older than its instance, and goes.
    const refused: Location[] = [];
    for (const location of findings.restore) if (!(await store.restoreLocation(location))) refused.push(location);
    const kept = assignments.removals(nodeId).filter(old => !isGone(report, old));
    const removals = [...kept, ...findings.removals.filter(one => !kept.some(old => isSame(old, one)))];
    // An agent that knows of a removal does not call it a stranger: one that is found again was never told.
    const isNews = findings.removals.length > 0;
    assignments.setRemovals(nodeId, removals);
    if (isNews) await store.raiseRevisions([nodeId], leadership.term);
    if (findings.unheard.length > 0) assignments.again(nodeId);
    if (isNews || findings.unheard.length > 0 || findings.restore.length > 0) wake();
    const isRefused = (one: Decision): boolean =>
      one.kind === "location.restored" &&
      refused.some(location => location.instanceId === one.instanceId && location.epoch === one.epoch);
    await tell(findings.decisions.filter(one => !isRefused(one)));
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
