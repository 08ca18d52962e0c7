import { encodeAsk } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";

/** The first half of the reconcile. */
export interface Comparison {
  /** Compares digests, and asks agents that see something else for a full report. @throws the store's error. */
  ask(): Promise<void>;
  /** The nodes whose beats are fresh. */
  present(): ReadonlySet<NodeId>;
}

/** What it works with beside the ports. */
export interface ComparisonOptions {
  readonly beats: Beats;
  readonly leadership: Leadership;
  /** Whether a full report of the node was examined in this term. */
  readonly knows: (nodeId: NodeId) => boolean;
}

/** Beats that are older say nothing of now. */
const FRESH_MS = 3_000;
const AT_ONCE = 16;
const ASK_TIMEOUT_MS = 5_000;

/**
 * Makes it: digests of the records against those in the beats. Agents that see something else are asked
 * for a full report, and so is each agent once in a term, since a new leader knows nothing of strangers.
 */
export function createComparison(ports: LoopPorts, { beats, leadership, knows }: ComparisonOptions): Comparison {
  const { store, bus, log } = ports;

  async function askOne(nodeId: NodeId): Promise<void> {
    try {
      await bus.request(nodeSubject("ask", nodeId), encodeAsk({ kind: "report" }), { timeoutMs: ASK_TIMEOUT_MS });
    } catch (error) {
      log.debug("report.unasked", "An agent could not be asked for a full report.", { nodeId, error });
    }
  }

  const isFresh = (atMs: number): boolean => beats.awakeMs() - atMs <= FRESH_MS;
  return {
    ask: async () => {
      const digests = await store.loadDigests();
      const differing: NodeId[] = [];
      for (const [nodeId, { beat, atMs }] of beats.all()) {
        if (beat === undefined || !isFresh(atMs)) continue;
        const { digest = 0n, count = 0 } = digests.get(nodeId) ?? {};
        if (!knows(nodeId) || digest !== beat.digest || count !== beat.instances) differing.push(nodeId);
      }
      for (let from = 0; from < differing.length && leadership.holds(); from += AT_ONCE) {
        await Promise.all(differing.slice(from, from + AT_ONCE).map(askOne));
      }
    },
    present: () =>
      new Set([...beats.all()].flatMap(([id, { beat, atMs }]) => (beat !== undefined && isFresh(atMs) ? [id] : []))),
  };
}
