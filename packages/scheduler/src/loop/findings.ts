import type { Report } from "@skep/api/codec/report.ts";
import { isStillUnproven, provenRemovals, type Examination } from "@skep/core/identity/strangers.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRemoval } from "../store/store.ts";
import type { Assignments } from "./assignments.ts";
import { createCensus, type Census, type Verdicts } from "./census.ts";
import { brakeDecisions, decisionOf, removalDecision } from "./finding-words.ts";
import type { Hints } from "./hints.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";
import { createRemovalEnds } from "./removal-ends.ts";
import type { Removals } from "./removals.ts";

/** What acting on findings needs beside the ports. */
export interface FindingsOptions {
  readonly leadership: Leadership;
  readonly assignments: Assignments;
  readonly removals: Removals;
  readonly hints: Hints;
  readonly wake: () => void;
}

/**
 * Carries out what reports were found to mean: rows written, removals recorded, all of it said
 * once.
 */
export interface Findings {
  /**
   * Answers whether the node has to be looked at again: a row could not be written, so its copy
   * will be out of date.
   */
  act(report: Report, examination: Examination): Promise<boolean>;
  /**
   * Decides on what no record explains, once all of these nodes have been examined. Answers whether
   * some node has to be looked at again.
   */
  settle(present: Iterable<NodeId>): Promise<boolean>;
  /** Whether a full report of the node was examined. */
  knows(nodeId: NodeId): boolean;
}

const MOST_SAID = 10_000;
/** How often what is recorded as left alone is read back. */
const READ_BACK_MS = 10_000;

/** Makes it for a term. */
export function createFindings(
  ports: Pick<LoopPorts, "store" | "log" | "clock">,
  { leadership, assignments, removals, hints, wake }: FindingsOptions,
): Findings {
  const { store, clock } = ports;
  const census = createCensus();
  const tell = createTeller(ports, hints);
  const endRemovals = createRemovalEnds(clock, { leadership, assignments, removals, wake });
  const orphans = createOrphans(ports, leadership);

  async function remove(all: readonly NodeRemoval[]): Promise<void> {
    if ((await removals.add(all, clock.now())).length > 0) wake();
  }

  /**
   * Answers what could not be restored. The tick places it anew, and what runs of it is then older
   * and goes.
   */
  async function restore({ judged }: Examination): Promise<readonly Location[]> {
    const refused: Location[] = [];
    for (const { verdict } of judged) {
      if (verdict.kind !== "restore") continue;
      if (!(await store.restoreLocation(verdict.location, leadership))) refused.push(verdict.location);
      wake();
    }
    return refused;
  }

  return {
    knows: census.knows,
    act: async (report, examination) => {
      const { nodeId } = report;
      const refused = await restore(examination);
      await endRemovals(report);
      await remove(provenRemovals(examination).map(one => ({ nodeId, ...one })));
      if (examination.unheard.length > 0) {
        assignments.again(nodeId);
        wake();
      }
      census.note(report, examination);
      const decisions = examination.judged.flatMap(one => decisionOf(one, nodeId, clock.now()));
      await tell(decisions.filter(one => !refused.some(location => isRestoreOf(one, location))));
      if (refused.length > 0) census.forget(nodeId);
      return refused.length > 0;
    },
    settle: async present => {
      const verdicts = census.decide(present);
      const unproven = await stillUnproven(store, census, verdicts);
      await remove(unproven.remove);
      const now = clock.now();
      await orphans.save(unproven);
      await tell([...unproven.remove.map(one => removalDecision(one, now)), ...brakeDecisions(verdicts, now)]);
      return unproven.remove.length < verdicts.remove.length;
    },
  };
}

/**
 * What may be removed by now. A name may have been made again since its copies were examined, and
 * its numbers say more of them: their nodes are examined anew.
 */
async function stillUnproven(
  store: Pick<LoopPorts["store"], "loadEvidence">,
  census: Pick<Census, "forget">,
  { remove, orphans }: Verdicts,
): Promise<Pick<Verdicts, "remove" | "orphans">> {
  const found = await Promise.all(
    [...Map.groupBy(remove, one => one.nodeId)].map(async ([nodeId, some]) => {
      const ids = some.map(one => one.instanceId);
      const evidence = await store.loadEvidence(nodeId, ids);
      return ids.every(id => isStillUnproven(id, evidence)) ? some : [];
    }),
  );
  const rest = new Set(found.flat());
  const changed = new Set(remove.filter(one => !rest.has(one)).map(one => one.nodeId));
  for (const nodeId of changed) census.forget(nodeId);
  return { remove: [...rest], orphans: new Map([...orphans].filter(([nodeId]) => !changed.has(nodeId))) };
}

/** Keeps what is left alone on each node in the records, and writes nothing twice. */
function createOrphans(
  { store, clock }: Pick<LoopPorts, "store" | "clock">,
  leadership: Leadership,
): { save(verdicts: Pick<Verdicts, "orphans">): Promise<void> } {
  const saved = new Map<NodeId, string>();
  let readBackAt = clock.monotonic();

  /**
   * A write that was given up may happen late, over a newer one, and a standby that takes over may
   * lack the last of them: then the node's are written once more.
   */
  async function readBack(): Promise<void> {
    if (clock.monotonic() - readBackAt < READ_BACK_MS) return;
    const recorded = Map.groupBy(await store.listOrphans(), one => one.nodeId);
    readBackAt = clock.monotonic();
    for (const [nodeId, text] of saved) if (textOf(recorded.get(nodeId) ?? []) !== text) saved.delete(nodeId);
  }

  return {
    save: async ({ orphans }) => {
      await readBack();
      for (const [nodeId, all] of orphans) {
        const text = textOf(all);
        if (saved.get(nodeId) === text) continue;
        await store.saveOrphans(nodeId, all, leadership, clock.now());
        saved.set(nodeId, text);
      }
    },
  };
}

/** The same for the same things, in whatever order. */
function textOf(all: readonly Removal[]): string {
  const each = all.map(({ instanceId, epoch, because }) => JSON.stringify([instanceId, epoch, because]));
  return each.toSorted().join();
}

/** Tells each decision once in a term. */
function createTeller(
  { store, log }: Pick<LoopPorts, "store" | "log">,
  hints: Hints,
): (decisions: readonly Decision[]) => Promise<void> {
  const said = new Set<string>();
  return async decisions => {
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
  };
}

function isRestoreOf(decision: Decision, { instanceId, epoch }: Location): boolean {
  return decision.kind === "location.restored" && decision.instanceId === instanceId && decision.epoch === epoch;
}

function wordOf(decision: Decision): string {
  return `${decision.kind} ${decision.nodeId} ${decision.instanceId} ${decision.epoch} ${decision.sentence}`;
}
