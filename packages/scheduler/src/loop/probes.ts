import { decodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { encodeAsk } from "@skep/api/codec/ask.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Node, NodeId } from "@skep/core/model/node.ts";
import type { Beats } from "./beats.ts";
import type { LoopPorts } from "./ports.ts";

/** Asks agents whether they can reach a node that is silent. */
export interface Probes {
  /** Has peers of `target` try it, unless they are doing so or did within the last second. */
  probe(target: Node, peers: readonly Node[]): void;
  /**
   * What the peers found when they last tried, and when, by `Beats.awakeMs`; `unknown` where nobody
   * could say.
   */
  result(nodeId: NodeId): ProbeResult | undefined;
}

/** What peers found. */
export interface ProbeResult {
  readonly probe: "answered" | "silent" | "unknown";
  readonly atMs: number;
}

const PEERS = 2;
const TRY_MS = 1_000;
const ANSWER_MS = 2_500;
const EVERY_MS = 1_000;

/**
 * Makes them; `probePort` is where every agent answers `/livez`. `onResult` is called when
 * something is known anew.
 */
export function createProbes(
  ports: Pick<LoopPorts, "bus" | "random" | "log">,
  beats: Beats,
  probePort: number,
  onResult: () => void,
): Probes {
  const { bus, random, log } = ports;
  const results = new Map<NodeId, ProbeResult>();
  const trying = new Set<NodeId>();

  /** `true` for reached, `false` for not, `undefined` where the peer did not answer us. */
  async function ask(peer: Node, target: Node): Promise<boolean | undefined> {
    const question = encodeAsk({ kind: "probe", address: target.address, port: probePort, timeoutMs: TRY_MS });
    try {
      const reply = decodeAskReply(await bus.request(nodeSubject("ask", peer.id), question, { timeoutMs: ANSWER_MS }));
      return reply.kind === "probe" ? reply.answered : undefined;
    } catch (error) {
      log.debug("probe.unanswered", "A peer did not answer whether it reaches a node.", {
        peer: peer.id,
        nodeId: target.id,
        error,
      });
      return undefined;
    }
  }

  async function tryAll(target: Node, peers: readonly Node[]): Promise<void> {
    const askedAtMs = beats.awakeMs();
    const answers = await Promise.all(peers.map(peer => ask(peer, target)));
    const known = answers.filter(answer => answer !== undefined);
    const probe = known.length === 0 ? "unknown" : known.some(reached => reached) ? "answered" : "silent";
    // Taken by the time of asking: a node that beat meanwhile was not silent throughout.
    results.set(target.id, { atMs: askedAtMs, probe });
    trying.delete(target.id);
    onResult();
  }

  return {
    probe: (target, peers) => {
      const last = results.get(target.id);
      if (trying.has(target.id) || (last !== undefined && beats.awakeMs() - last.atMs < EVERY_MS)) return;
      trying.add(target.id);
      void tryAll(target, someOf(peers, PEERS, random));
    },
    result: nodeId => results.get(nodeId),
  };
}

function someOf<T>(items: readonly T[], count: number, random: () => number): readonly T[] {
  const rest = [...items];
  const taken: T[] = [];
  while (taken.length < count && rest.length > 0) taken.push(...rest.splice(Math.floor(random() * rest.length), 1));
  return taken;
}
