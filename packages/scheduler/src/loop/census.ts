import { brakeOn } from "@skep/core/identity/brake.ts";
import type { Examination, SeenReport } from "@skep/core/identity/strangers.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { NodeRemoval } from "../store/store.ts";

/** What this leader has seen of things that the records do not know, over the whole fleet. */
export interface Census {
  /** Takes in what an examined report showed; only a full one shows what else is not there. */
  note(report: SeenReport, examination: Examination): void;
  /** Whether a full report of the node was examined. */
  knows(nodeId: NodeId): boolean;
  /** What may be removed, and where the brake holds, once every one of these nodes is known; until then nothing. */
  decide(present: Iterable<NodeId>): Verdicts;
}

/** What becomes of everything unproven. */
export interface Verdicts {
  readonly remove: readonly NodeRemoval[];
  /** How many things stay on each node because of the brake. */
  readonly held: ReadonlyMap<NodeId, number>;
  /** Whether the whole fleet is braked, and not only single nodes. */
  readonly fleet: boolean;
}

interface Page {
  readonly unproven: Map<string, NodeRemoval>;
  readonly seen: Set<string>;
  full: boolean;
}

const NOTHING: Verdicts = { remove: [], held: new Map(), fleet: false };

/** Makes an empty one for a term. */
export function createCensus(): Census {
  const pages = new Map<NodeId, Page>();
  return {
    note: (report, examination) => {
      const { nodeId } = report;
      const before = pages.get(nodeId);
      const page =
        before === undefined || report.full ? { unproven: new Map(), seen: new Set<string>(), full: false } : before;
      page.full ||= report.full;
      pages.set(nodeId, page);
      for (const one of [...report.statuses, ...report.strangers.map(stranger => stranger.status)]) {
        page.seen.add(keyOf(one));
        page.unproven.delete(keyOf(one));
      }
      for (const one of report.gone) {
        page.seen.delete(keyOf(one));
        page.unproven.delete(keyOf(one));
      }
      for (const { status, verdict } of examination.judged) {
        if (verdict.kind !== "unproven") continue;
        const { instanceId, epoch } = status;
        page.unproven.set(keyOf(status), { nodeId, instanceId, epoch, because: verdict.because });
      }
    },
    knows: nodeId => pages.get(nodeId)?.full === true,
    decide: present => {
      if ([...present].some(nodeId => pages.get(nodeId)?.full !== true)) return NOTHING;
      const brake = brakeOn(
        [...pages].map(([nodeId, page]) => ({ nodeId, unproven: page.unproven.size, seen: page.seen.size })),
      );
      const remove: NodeRemoval[] = [];
      const held = new Map<NodeId, number>();
      for (const [nodeId, { unproven }] of pages) {
        if (unproven.size === 0) continue;
        if (brake.fleet || brake.nodes.has(nodeId)) held.set(nodeId, unproven.size);
        else remove.push(...unproven.values());
      }
      return { remove, held, fleet: brake.fleet };
    },
  };
}

function keyOf(of: { readonly instanceId: string; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}
