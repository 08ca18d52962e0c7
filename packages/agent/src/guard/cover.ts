import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Loops, Outage, OutageWords } from "@skep/kit/loops.ts";
import { EngineError } from "../engine/errors.ts";
import type { Guard } from "./guard.ts";

/** What a cover is made from. */
export interface CoverDeps {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly loops: Loops;
  /** Until when a copy may run for its guard; `undefined` where it has no lease. */
  readonly guardUntil: (instanceId: string, epoch: number) => number | undefined;
}

const WORDS: OutageWords = {
  failed: {
    event: "guard.lost",
    level: "error",
    sentence: "No guard watches the exclusive copies: none is started until one does; what runs, runs on.",
  },
  recovered: { event: "guard.found", sentence: "A guard watches the exclusive copies again." },
};

/**
 * Keeps the guard told of every container of an exclusive copy: before it is started, at each
 * renewal, and until it is gone.
 */
export class Cover {
  readonly #deps: CoverDeps;
  readonly #outage: Outage;
  /** Until when each container may run, on the monotonic clock. */
  #untils: ReadonlyMap<string, number> = new Map();
  #isLost = false;

  constructor(deps: CoverDeps) {
    this.#deps = deps;
    this.#outage = deps.loops.watch("guard", { words: WORDS });
  }

  /** Containers were looked at, or leases have changed. */
  sync(containers: readonly ObservedContainer[]): void {
    const { clock } = this.#deps;
    const now = clock.monotonic();
    const next = new Map<string, number>();
    for (const container of containers) {
      const until = this.#untilOf(container);
      if (until !== undefined) next.set(container.id, until);
    }
    // What is not seen may be about to be started; when its time is over it is not.
    for (const [id, until] of this.#untils) if (!next.has(id) && until > now) next.set(id, until);
    const isNew = next.size !== this.#untils.size || [...next].some(([id, until]) => until !== this.#untils.get(id));
    this.#untils = next;
    if (isNew || (this.#isLost && next.size > 0)) void this.#tell().catch(() => undefined);
  }

  /**
   * Tells the guard of a container that is about to be started.
   * @throws EngineError `conflict` where no guard takes it.
   */
  async beforeStart(containerId: string, instanceId: string, epoch: number): Promise<void> {
    const until = this.#deps.guardUntil(instanceId, epoch);
    if (until === undefined) return;
    this.#untils = new Map(this.#untils).set(containerId, until);
    await this.#tell().catch((error: unknown) => {
      throw new EngineError("conflict", `no guard takes it: ${error instanceof Error ? error.message : String(error)}`);
    });
  }

  /** Leaves the guard with what it was told last. */
  close(): void {
    this.#outage.close();
    this.#deps.guard.close();
  }

  #untilOf({ id, instanceId, epoch }: ObservedContainer): number | undefined {
    return this.#deps.guardUntil(instanceId, epoch) ?? this.#untils.get(id);
  }

  async #tell(): Promise<void> {
    const copies = [...this.#untils].map(([containerId, until]) => ({ containerId, until }));
    try {
      await this.#deps.guard.watch(copies);
      this.#isLost = false;
      this.#outage.succeeded();
    } catch (error) {
      this.#isLost = true;
      this.#outage.failed(error);
      throw error;
    }
  }
}
