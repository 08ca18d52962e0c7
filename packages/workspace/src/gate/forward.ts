import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { createCutter, StreamError } from "../mqtt/frames.ts";
import { together, TYPE, typeOf } from "../mqtt/packet.ts";
import type { Budget } from "./budget.ts";
import type { Holding } from "./holding.ts";
import type { Inspector } from "./inspect.ts";
import type { Leaving } from "./leaving.ts";
import type { Pings } from "./pings.ts";

/** What a device says to the broker. */
export interface Forward {
  /** Whether something has to wait. */
  readonly isFull: boolean;
  push(chunk: Buffer): void;
  /** Something may go on that had to wait. */
  look(): void;
  close(): void;
}

/** What it works with. */
export interface ForwardOptions {
  readonly broker: Socket;
  /** Bytes of the largest packet. */
  readonly mostBytes: number;
  readonly inspect: Inspector;
  readonly leaving: Leaving;
  readonly holding: Holding;
  readonly pings: Pings;
  readonly budget: Budget;
  readonly toDevice: (packet: Buffer) => void;
  /** Whether the device reads the answers to what it sends. */
  readonly isRead: () => boolean;
  readonly denied: (topic: string) => void;
  readonly finish: (because: string) => void;
  /** So many packets were taken. */
  readonly took: (packets: number) => void;
}

/**
 * Passes on what may pass, in order. What does not fit waits here, and all that is behind it: one
 * chunk at most, since the device is read no further meanwhile.
 */
export function createForward(options: ForwardOptions): Forward {
  return new Passing(options);
}

class Passing implements Forward {
  readonly #options: ForwardOptions;
  readonly #cutter;
  #queue: readonly Buffer[] = [];
  #at = 0;
  #isAsked = false;
  #isOver = false;

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.#cutter = createCutter(options.mostBytes);
  }

  get isFull(): boolean {
    return this.#at < this.#queue.length;
  }

  push(chunk: Buffer): void {
    this.#try(() => {
      const packets = this.#cutter.push(chunk);
      this.#queue = this.isFull ? [...this.#queue.slice(this.#at), ...packets] : packets;
      this.#at = 0;
      this.#run();
    });
  }

  /** Many are answered at once: what they make room for goes on in one piece. */
  readonly look = (): void => {
    if (this.#isAsked || this.#isOver || !this.isFull) return;
    this.#isAsked = true;
    queueMicrotask(() => {
      this.#isAsked = false;
      this.#try(() => this.#run());
    });
  };

  close(): void {
    this.#isOver = true;
    this.#options.budget.leave(this.look);
  }

  #try(run: () => void): void {
    if (this.#isOver) return;
    try {
      run();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      this.#options.finish(error.message);
    }
  }

  #run(): void {
    const { broker, took, isRead } = this.#options;
    const passed: Buffer[] = [];
    const from = this.#at;
    // Whoever reads no answers is not answered any more. What it does not read of others does not
    // count: it may be unable to read before it has written.
    while (this.isFull && isRead() && this.#fits(this.#queue[this.#at]!)) {
      const packet = this.#queue[this.#at++]!;
      if (this.#mayPass(packet)) passed.push(packet);
      if (this.#isOver) return;
    }
    if (passed.length > 0) broker.write(together(passed));
    took(this.#at - from);
  }

  #fits(packet: Buffer): boolean {
    const { leaving, holding, budget } = this.#options;
    // From then on nothing is held any more.
    if (leaving.isLeaving || holding.fits(packet)) return true;
    if (budget.isSpent) budget.wait(this.look);
    return false;
  }

  #mayPass(packet: Buffer): boolean {
    const { inspect, leaving, holding, pings, toDevice, denied, finish } = this.#options;
    const verdict = inspect(packet);
    if (verdict.kind === "end") finish(verdict.because);
    if (verdict.kind === "denied") denied(verdict.topic);
    if (verdict.kind === "pass") {
      const isPassed = leaving.pass(packet) && holding.fromDevice(packet);
      if (isPassed && typeOf(packet) === TYPE.pingreq) pings.passed();
      return isPassed;
    }
    if (verdict.kind !== "end" && verdict.answer !== undefined) toDevice(verdict.answer);
    return false;
  }
}
