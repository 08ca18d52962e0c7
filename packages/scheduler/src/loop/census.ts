import { brakeOn, type NodeCount } from "@skep/core/identity/brake.ts";
import type { Examination, SeenReport } from "@skep/core/identity/strangers.ts";
import type { Removal } from "@skep/core/model/assignment.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { NodeRemoval } from "../store/store.ts";

/** What this leader has seen of things that the records do not know, over the whole fleet. */
export interface Census {
  /** Takes in what an examined report showed; only a full one shows what else is not there. */
  note(report: SeenReport, examination: Examination): void;
  /** The node has to be looked at anew. */
  forget(nodeId: NodeId): void;
  /** Whether a full report of the node was examined. */
  knows(nodeId: NodeId): boolean;
  /**
   * What may be removed, and where the brake holds, once every one of these nodes is known. Until
   * then nothing is removed, and all that was found is left alone: numbers go on beyond it
   * meanwhile.
   */
  decide(present: Iterable<NodeId>): Verdicts;
}

/** What becomes of everything unproven. */
export interface Verdicts {
  readonly remove: readonly NodeRemoval[];
  /** How many things stay on each node because of the brake. */
  readonly held: ReadonlyMap<NodeId, number>;
  /** Whether the whole fleet is braked, and not only single nodes. */
  readonly fleet: boolean;
  /** Everything that is left alone, by the brake or because the records may be wrong about it. */
  readonly orphans: ReadonlyMap<NodeId, readonly Removal[]>;
}

interface Page {
  readonly left: Map<string, Removal>;
  readonly unproven: Map<string, NodeRemoval>;
  readonly seen: Set<string>;
  full: boolean;
}

/** Makes an empty one for a term. */
export function createCensus(): Census {
  const pages = new Map<NodeId, Page>();
  return {
    note: (report, examination) => {
      const { nodeId } = report;
      const before = pages.get(nodeId);
      const page = before === undefined || report.full ? newPage() : before;
      page.full ||= report.full;
      pages.set(nodeId, page);
      for (const one of [...report.statuses, ...report.strangers.map(stranger => stranger.status)]) {
        page.seen.add(keyOf(one));
        for (const known of [page.unproven, page.left]) known.delete(keyOf(one));
      }
      for (const one of report.gone) {
        for (const known of [page.seen, page.unproven, page.left]) known.delete(keyOf(one));
      }
      for (const { status, verdict } of examination.judged) {
        const { instanceId, epoch } = status;
        if (verdict.kind === "unproven") {
          page.unproven.set(keyOf(status), { nodeId, instanceId, epoch, because: verdict.because });
        } else if (verdict.kind === "left") {
          page.left.set(keyOf(status), { instanceId, epoch, because: verdict.because });
        }
      }
    },
    forget: nodeId => void pages.delete(nodeId),
    knows: nodeId => pages.get(nodeId)?.full === true,
    decide: present => {
      const isComplete = [...present].every(nodeId => pages.get(nodeId)?.full === true);
      const brake = brakeOn([...pages].map(countOf));
      const remove: NodeRemoval[] = [];
      const held = new Map<NodeId, number>();
      const orphans = new Map<NodeId, readonly Removal[]>();
      for (const [nodeId, { unproven, left, full }] of pages) {
        const isBraked = unproven.size > 0 && (brake.fleet || brake.nodes.has(nodeId));
        const isHeld = isBraked || !isComplete;
        if (isBraked && isComplete) held.set(nodeId, unproven.size);
        if (!isHeld) remove.push(...unproven.values());
        // What a part shows says nothing of what was left alone before.
        if (full) orphans.set(nodeId, [...left.values(), ...(isHeld ? [...unproven.values()].map(asRemoval) : [])]);
      }
      return { remove, held, fleet: isComplete && brake.fleet, orphans };
    },
  };
}

function newPage(): Page {
  return { unproven: new Map(), left: new Map(), seen: new Set(), full: false };
}

function countOf([nodeId, { unproven, left, seen }]: readonly [NodeId, Page]): NodeCount {
  return { nodeId, unproven: unproven.size + left.size, seen: seen.size };
}

function asRemoval({ instanceId, epoch, because }: NodeRemoval): Removal {
  return { instanceId, epoch, because };
}

function keyOf(of: { readonly instanceId: string; readonly epoch: number }): string {
  return `${of.instanceId} ${of.epoch}`;
}
