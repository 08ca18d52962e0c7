import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay } from "@skep/kit/retry.ts";
import type { ContainerFactory, RunningContainer } from "./container.ts";
import type { ReadLeases } from "./read-leases.ts";

/** What a lane works with. */
export interface LanePorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly containers: ContainerFactory;
  readonly leases: Pick<ReadLeases, "mayRead">;
  /** Called when its status has changed. */
  readonly onChange: () => void;
}

interface Held {
  readonly container: RunningContainer;
  readonly began: AssignedWorkspace;
  /** Of which placement it is, as this lane counts them. */
  readonly placement: number;
  applied: AssignedWorkspace;
  /** Nothing may be read by its lease any more. */
  readonly endLease: () => void;
}

const BACKOFF = { baseMs: 500, maxMs: 30_000 };
/** One that takes longer to close is given up: it reads nothing, as its lease is gone. */
const CLOSE_MS = 10_000;

/** One workspace on this host: what is wanted of it is done step by step, never two at once. */
export class Lane {
  readonly #ports: LanePorts;
  #wanted: AssignedWorkspace;
  #isOver = false;
  /** Epochs begin anew with a workspace that is made again; this number only grows. */
  #placement = 1;
  #held: Held | undefined;
  #isStarting = false;
  #isWoken = false;
  #failures = 0;
  #lastError = "";
  #waiting: AbortController | undefined;
  #working: Promise<void> | undefined;

  constructor(ports: LanePorts, first: AssignedWorkspace) {
    this.#ports = ports;
    this.#wanted = first;
    this.#work();
  }

  /** Number of the placement that it is about. */
  get epoch(): number {
    return this.#wanted.epoch;
  }

  /** Whether it is over and nothing is left of it. */
  get isGone(): boolean {
    return this.#isOver && this.#isEmpty;
  }

  /**
   * Takes what is wanted now; answers why not where it is older than what it has. After an end
   * whatever is placed `anew` is newer.
   */
  want(next: AssignedWorkspace, anew = false): string | undefined {
    const isAnew = anew && this.#isOver;
    const because = isAnew ? undefined : whyOlder(this.#wanted, next, this.#isOver);
    if (because !== undefined) return because;
    if (!isAnew && JSON.stringify(next) === JSON.stringify(this.#wanted)) return undefined;
    if (isAnew || next.epoch !== this.#wanted.epoch) this.#placement += 1;
    this.#isOver = false;
    this.#wanted = next;
    this.#work();
    return undefined;
  }

  /** This placement is over: it is let go of, and then nothing is left to tell. */
  end(): void {
    this.#isOver = true;
    this.#work();
  }

  /** Lets go of it; resolves when that is done. */
  async close(): Promise<void> {
    this.end();
    await this.#working;
  }

  /** How it is, for the next report. */
  status(): HostedStatus {
    const { id: workspaceId, epoch } = this.#wanted;
    const container = this.#held?.placement === this.#placement ? this.#held.container : undefined;
    const move = container?.move?.();
    const otherwise = this.#isToRun || !this.#isEmpty ? "assigned" : "stopped";
    return {
      ...{ workspaceId, epoch, state: container === undefined ? otherwise : "running" },
      isHealthy: container?.isHealthy() ?? false,
      counts: container?.counts() ?? {},
      lastError: this.#lastError || (container?.lastError() ?? ""),
      ...(move === undefined ? {} : { move }),
    };
  }

  get #isToRun(): boolean {
    return !this.#isOver && this.#wanted.desired === "run";
  }

  get #isEmpty(): boolean {
    return this.#held === undefined && !this.#isStarting;
  }

  #work(): void {
    this.#isWoken = true;
    this.#waiting?.abort();
    this.#working ??= this.#workOn();
  }

  async #workOn(): Promise<void> {
    // Whoever calls in between finds the work under way.
    await Promise.resolve();
    while (this.#isWoken) {
      this.#isWoken = false;
      while (await this.#step());
    }
    this.#working = undefined;
  }

  /** Does one thing; answers whether there may be another. */
  async #step(): Promise<boolean> {
    const held = this.#held;
    if (held !== undefined && !this.#fits(held)) await this.#letGo(held);
    else if (held !== undefined && held.applied !== this.#wanted) await this.#update(held);
    else if (held === undefined && this.#isToRun) await this.#begin();
    else return false;
    this.#ports.onChange();
    return true;
  }

  /** Whether what runs may go on, with or without an update. */
  #fits({ began, placement }: Held): boolean {
    const { restarts, removesData } = this.#wanted;
    const isSame = began.restarts === restarts && began.removesData === removesData;
    return this.#isToRun && placement === this.#placement && isSame;
  }

  async #begin(): Promise<void> {
    const { containers, leases, onChange } = this.#ports;
    const workspace = this.#wanted;
    const placement = this.#placement;
    const own = { workspaceId: workspace.id, epoch: workspace.epoch };
    let isEnded = false;
    const isOwn = (): boolean => !isEnded && this.#isToRun && this.#placement === placement;
    const lease = { mayRead: () => isOwn() && leases.mayRead(own), changed: onChange };
    await this.#try("started", async () => {
      this.#isStarting = true;
      const starting = containers.start(workspace, lease).finally(() => (this.#isStarting = false));
      const endLease = (): void => void (isEnded = true);
      this.#held = { container: await starting, began: workspace, placement, applied: workspace, endLease };
    });
  }

  async #update(held: Held): Promise<void> {
    const next = this.#wanted;
    await this.#try("changed", async () => {
      await held.container.update(next);
      held.applied = next;
    });
  }

  async #letGo({ container, began, endLease }: Held): Promise<void> {
    const { clock, log } = this.#ports;
    endLease();
    const closed = new AbortController();
    const late = clock.sleep(CLOSE_MS, closed.signal).then(() => {
      if (!closed.signal.aborted) throw new Error(`it did not end within ${CLOSE_MS} ms`);
    });
    try {
      await Promise.race([container.close(this.#wanted.isDropped === true), late]);
    } catch (error) {
      const sentence = "A workspace could not be let go of cleanly; it reads nothing, as its lease is gone.";
      log.error("workspace.unclean", sentence, { workspaceId: began.id, epoch: began.epoch, error });
    }
    closed.abort();
    this.#held = undefined;
    this.#lastError = "";
  }

  /** A step that failed is tried again after a pause, or at once when something else is wanted. */
  async #try(what: string, run: () => Promise<void>): Promise<void> {
    const { clock, log, random, onChange } = this.#ports;
    try {
      await run();
      this.#failures = 0;
      this.#lastError = "";
    } catch (error) {
      this.#failures += 1;
      this.#lastError = error instanceof Error ? error.message : String(error);
      const fields = { workspaceId: this.#wanted.id, epoch: this.epoch, error };
      const sentence = `A workspace could not be ${what}; trying until it can.`;
      if (this.#failures === 1) log.warn("workspace.failed", sentence, fields);
      onChange();
      this.#waiting = new AbortController();
      await clock.sleep(retryDelay(this.#failures, random, BACKOFF), this.#waiting.signal);
      this.#waiting = undefined;
    }
  }
}

/** Of one placement what is to stop stays so, and what is wanted only grows newer. */
function whyOlder(known: AssignedWorkspace, next: AssignedWorkspace, isOver: boolean): string | undefined {
  if (next.epoch > known.epoch) return undefined;
  if (next.epoch < known.epoch) return `its epoch ${next.epoch} is lower than ${known.epoch}`;
  if (isOver) return `its epoch ${next.epoch} is over`;
  if (known.desired === "stop" && next.desired === "run") return `its epoch ${next.epoch} was told to stop`;
  return next.version < known.version ? `its version ${next.version} is lower than ${known.version}` : undefined;
}
