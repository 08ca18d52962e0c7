import { decodeBeat } from "@skep/api/codec/beat.ts";
import { parseNodeSubject } from "@skep/api/subjects.ts";
import type { Liveness } from "@skep/core/model/node.ts";
import type { Life } from "./life.ts";

interface LastBeat {
  readonly sessionId: string;
  readonly seq: number;
  readonly atMs: number;
}

/** A scheduler notices only by its next timer that it was stopped, and takes what came before for observed. */
const SLACK_MS = 500;

/**
 * Watches one scheduler's life: it may call a node down only after it has itself observed that node's silence for
 * the set time. Time in which it was stopped, or did not exist, is no observation; a beat that comes twice or late
 * is no new sign of life.
 */
export class ObserverRule {
  readonly #life: Life;
  readonly #downAfterMs: number;
  readonly #last = new Map<string, LastBeat>();

  constructor(life: Life, downAfterMs: number) {
    this.#life = life;
    this.#downAfterMs = downAfterMs;
  }

  /** The scheduler got this message. */
  heard(subject: string, data: Uint8Array): void {
    if (parseNodeSubject(subject)?.kind !== "beat") return;
    const { nodeId, sessionId, seq } = decodeBeat(data);
    const last = this.#last.get(nodeId);
    if (last?.sessionId === sessionId && last.seq >= seq) return;
    this.#last.set(nodeId, { sessionId, seq, atMs: this.#life.ranMs() });
  }

  /** The scheduler is about to record these; answers what is wrong with it. */
  broken(before: ReadonlyMap<string, Liveness>, next: ReadonlyMap<string, Liveness>): string | undefined {
    for (const [nodeId, liveness] of next) {
      if (liveness !== "down" || before.get(nodeId) === "down") continue;
      const silentMs = this.#life.ranMs() - (this.#last.get(nodeId)?.atMs ?? 0);
      if (silentMs < this.#downAfterMs - SLACK_MS) {
        return `${this.#life.name} calls ${nodeId} down after it observed ${silentMs} ms of silence; ${this.#downAfterMs} are needed`;
      }
    }
    return undefined;
  }
}
