import type { Clock } from "@skep/kit/clock.ts";
import { retry } from "@skep/kit/retry.ts";

/** Nothing is left to chance: few begin together, and a person may wait for it. */
const BACKOFF = { baseMs: 1_000, maxMs: 30_000, random: () => 1 };

/** Begins something that may be away, and goes on trying until it has. */
export class Beginning {
  readonly #clock: Clock;
  readonly #begin: () => Promise<void>;
  #problem: string | undefined = "it has not answered yet";
  readonly #ending = new AbortController();

  /** @param begin is called again where it rejects. */
  constructor(clock: Clock, begin: () => Promise<void>) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /** Why it has not begun; `undefined` once it has. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Rejects where it cannot begin now. */
  async now(): Promise<void> {
    await this.#begin();
    this.#problem = undefined;
  }

  /** Resolves once it has begun or failed, or after so long; then it goes on trying. */
  async soon(waitMs: number): Promise<void> {
    const { promise: waited, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.timer(waitMs, resolve);
    const onRetry = (error: unknown): void => {
      this.#problem = (error as Error).message;
      resolve();
    };
    // It rejects only once nobody wants it any more.
    void retry(() => this.now(), { ...BACKOFF, onRetry }, this.#clock, this.#ending.signal).then(resolve, resolve);
    await waited;
    cancel();
  }

  stop(): void {
    this.#ending.abort();
  }
}
