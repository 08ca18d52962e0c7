import type { Clock } from "@skep/kit/clock.ts";

const FIRST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 30_000;

/** Begins something that may be away, and goes on trying until it has. */
export class Beginning {
  readonly #clock: Clock;
  readonly #begin: () => Promise<void>;
  #isOver = false;
  #problem: string | undefined = "it has not answered yet";
  #cancel = (): void => undefined;

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
    const waited = Promise.withResolvers<void>();
    const cancel = this.#clock.timer(waitMs, waited.resolve);
    await Promise.race([this.#try(FIRST_RETRY_MS), waited.promise]);
    cancel();
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel();
  }

  async #try(retryMs: number): Promise<void> {
    try {
      await this.now();
    } catch (error) {
      this.#problem = (error as Error).message;
      if (this.#isOver) return;
      const nextMs = Math.min(retryMs * 2, MOST_RETRY_MS);
      this.#cancel = this.#clock.timer(retryMs, () => void this.#try(nextMs));
    }
  }
}
