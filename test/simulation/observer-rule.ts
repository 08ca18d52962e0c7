import type { Liveness } from "@skep/core/model/node.ts";
import type { Life } from "./life.ts";

/**
 * Watches one scheduler's life: it may call a node down only after it has itself observed that node's silence for
 * the set time. Time in which it was stopped, or did not exist, is no observation.
 */
export class ObserverRule {
  readonly #life: Life;
  readonly #downAfterMs: number;
  readonly #heardAt = new Map<string, number>();

  constructor(life: Life, downAfterMs: number) {
    this.#life = life;
    this.#downAfterMs = downAfterMs;
  }

  /** The scheduler got a message on this subject; those of agents end with their node's id. */
  heard(subject: string): void {
    const [, , kind, nodeId] = subject.split(".");
    if (nodeId !== undefined && (kind === "beat" || kind === "report" || kind === "fetch")) {
      this.#heardAt.set(nodeId, this.#life.ranMs());
    }
  }

  /** The scheduler is about to record these; answers what is wrong with it. */
  broken(before: ReadonlyMap<string, Liveness>, next: ReadonlyMap<string, Liveness>): string | undefined {
    for (const [nodeId, liveness] of next) {
      if (liveness !== "down" || before.get(nodeId) === "down") continue;
      const silentMs = this.#life.ranMs() - (this.#heardAt.get(nodeId) ?? 0);
      if (silentMs < this.#downAfterMs) {
        return `${this.#life.name} calls ${nodeId} down after it observed ${silentMs} ms of silence; ${this.#downAfterMs} are needed`;
      }
    }
    return undefined;
  }
}
