import { encodeAsk } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { retryDelay, type Backoff } from "@skep/kit/retry.ts";
import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import type { LoopPorts, Running } from "./ports.ts";

/**
 * The first half of the reconcile: an agent that sees something else than the records is asked for
 * a full report.
 */
export interface Comparison extends Running {
  /** Compares now, and asks the agents that differ. */
  compare(): Promise<void>;
  /** A full report of the node came by: it need not be asked again. */
  heard(nodeId: NodeId): void;
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
 * The question, its answer or the report may be lost: it is asked again until the report has come
 * by.
 */
const AGAIN: Backoff = { baseMs: 3_000, maxMs: 30_000 };

/**
 * Compares digests of the records with those in the beats. Each agent is asked once in a term too,
 * since a new leader has no list of strangers: one that comes back later as soon as it beats.
 */
export function createComparison(ports: LoopPorts, { beats, leadership, knows }: ComparisonOptions): Comparison {
  const { store, bus, clock, log, random, loops } = ports;
  const awaited = new Map<NodeId, { readonly tries: number; readonly atMs: number }>();

  async function ask(nodeId: NodeId): Promise<void> {
    const tries = (awaited.get(nodeId)?.tries ?? 0) + 1;
    awaited.set(nodeId, { tries, atMs: clock.monotonic() + retryDelay(tries, random, AGAIN) });
    try {
      await bus.request(nodeSubject("ask", nodeId), encodeAsk({ kind: "report" }), { timeoutMs: ASK_TIMEOUT_MS });
    } catch (error) {
      log.debug("report.unasked", "An agent could not be asked for a full report.", { nodeId, tries, error });
    }
  }

  const isFresh = (nodeId: NodeId): boolean => beats.awakeMs() - (beats.heard(nodeId)?.atMs ?? -Infinity) <= FRESH_MS;

  const present = (): ReadonlySet<NodeId> =>
    new Set([...beats.all()].flatMap(([id, { beat }]) => (beat !== undefined && isFresh(id) ? [id] : [])));

  async function askDue(): Promise<void> {
    // A node without a beat now is compared again once it has one.
    for (const nodeId of awaited.keys()) if (!isFresh(nodeId)) awaited.delete(nodeId);
    const due = [...awaited].flatMap(([nodeId, { atMs }]) => (atMs <= clock.monotonic() ? [nodeId] : []));
    for (let from = 0; from < due.length && leadership.holds(); from += AT_ONCE) {
      await Promise.all(due.slice(from, from + AT_ONCE).map(ask));
    }
    const next = Math.min(...[...awaited.values()].map(one => one.atMs));
    if (next < Infinity) asking.at(clock.now() + Math.max(0, next - clock.monotonic()));
  }

  const asking = loops.begin("asking", askDue, { minGapMs: 200 });
  /** When each node beat last, by `beats.awakeMs`, since the first comparison. */
  let beatAt: Map<NodeId, number> | undefined;
  const returns = beats.onBeat(({ nodeId }) => {
    if (beatAt === undefined) return;
    const before = beatAt.get(nodeId) ?? -Infinity;
    beatAt.set(nodeId, beats.awakeMs());
    // Otherwise it would wait for the next comparison, and a node of which new records know
    // nothing but its name would get no work until then.
    if (beats.awakeMs() - before <= FRESH_MS || knows(nodeId) || awaited.has(nodeId)) return;
    awaited.set(nodeId, { tries: 0, atMs: clock.monotonic() });
    asking.hint();
  });
  return {
    compare: async () => {
      beatAt ??= new Map([...present()].map(nodeId => [nodeId, beats.awakeMs()]));
      const digests = await store.loadDigests();
      for (const [nodeId, { beat }] of beats.all()) {
        if (beat === undefined || !isFresh(nodeId) || awaited.has(nodeId)) continue;
        const { digest = 0n, count = 0 } = digests.get(nodeId) ?? {};
        if (knows(nodeId) && digest === beat.digest && count === beat.instances) continue;
        awaited.set(nodeId, { tries: 0, atMs: clock.monotonic() });
      }
      asking.hint();
    },
    heard: nodeId => void awaited.delete(nodeId),
    present,
    close: () => {
      returns.close();
      return asking.close();
    },
  };
}
