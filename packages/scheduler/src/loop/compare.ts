import { encodeAsk } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts } from "./ports.ts";

/** Beats that are older say nothing of now. */
const FRESH_MS = 3_000;
const AT_ONCE = 16;
const ASK_TIMEOUT_MS = 5_000;

/**
 * Makes the first half of the reconcile: digests of the records against those in the beats. Agents that see something
 * else are asked for a full report, and so is each agent once in a term, since a new leader knows nothing of strangers.
 */
export function createComparison(ports: LoopPorts, beats: Beats, leadership: Leadership): () => Promise<void> {
  const { store, bus, log } = ports;
  const asked = new Set<NodeId>();

  async function ask(nodeId: NodeId): Promise<void> {
    try {
      await bus.request(nodeSubject("ask", nodeId), encodeAsk({ kind: "report" }), { timeoutMs: ASK_TIMEOUT_MS });
      asked.add(nodeId);
    } catch (error) {
      log.debug("report.unasked", "An agent could not be asked for a full report.", { nodeId, error });
    }
  }

  return async () => {
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
  };
}
