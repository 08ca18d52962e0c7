import type { Connector } from "@skep/core/workspace/connector.ts";
import type { Comparison } from "@skep/core/workspace/migration-state.ts";
import type { MoveFacts, MoveOrder } from "@skep/core/workspace/move.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Importing, PortableDatabase } from "../database/portable.ts";
import { hideUrlSecrets } from "@skep/kit/url-secrets.ts";
import type { Both } from "./both.ts";
import { copyOn, noCopy, UncopiedError, type CopyState } from "./copier.ts";
import { compareHalves } from "./compare-halves.ts";
import type { FindPeer, Peer } from "./peer.ts";
import type { Quiet } from "./quiet.ts";

/** What a half of a move works with. */
export interface MoveHalfPorts {
  readonly clock: Clock;
  readonly connector: Connector;
  readonly findPeer: FindPeer | undefined;
  readonly portable: PortableDatabase | undefined;
  /** Of the half that reads. */
  readonly both?: Both;
  readonly quiet?: Quiet;
  /** Whether the session is at the broker. */
  readonly isSubscribed: () => boolean;
  /** Whether the database answers. */
  readonly isReady: () => boolean;
  /** Called when something is worth telling at once. */
  readonly changed: () => void;
}

/** The half of a move that a container is: it does as it is told, and says how far it is. */
export interface MoveHalf {
  /** Does as it is told from now on; resolves once messages are stored so. */
  follow(order: MoveOrder | undefined): Promise<void>;
  /** `undefined` where it does not move. */
  facts(): MoveFacts | undefined;
  /** Begins nothing more; what is stored by both stays so. */
  stop(): void;
  /** Resolves when nothing of it is under way. */
  close(): Promise<void>;
}

const AGAIN_MS = 1_000;
const CANNOT = "this host has no way to bring its database elsewhere";
const AWAY = "the other half has no host yet, or its address is not known";

/** Makes it; nothing happens before it is told something. */
export function createMoveHalf(ports: MoveHalfPorts): MoveHalf {
  return new Half(ports);
}

class Half implements MoveHalf {
  readonly #ports: MoveHalfPorts;
  #order: MoveOrder | undefined;
  #copy: CopyState = noCopy();
  #comparison: Comparison | undefined;
  #fault = "";
  #waiting = "";
  #ending = new AbortController();
  #working: Promise<void> = Promise.resolve();

  constructor(ports: MoveHalfPorts) {
    this.#ports = ports;
  }

  async follow(next: MoveOrder | undefined): Promise<void> {
    const { both, quiet, changed } = this.#ports;
    const before = this.#order;
    if (JSON.stringify(next) === JSON.stringify(before)) return;
    await this.close();
    // A copy of everything goes on where the one of the step before ended.
    const goesOn = next?.copySince === 0 && before?.copySince === 0;
    this.#copy = goesOn ? { ...this.#copy, lacking: undefined } : noCopy();
    [this.#comparison, this.#fault, this.#waiting, this.#order] = [undefined, "", "", next];
    this.#ending = new AbortController();
    quiet?.begin();
    await both?.storeAt(next?.storesBoth === true ? (this.#peerOf(next) ?? NOBODY) : undefined);
    if (next !== undefined) this.#working = this.#work(next, this.#ending.signal);
    changed();
  }

  facts(): MoveFacts | undefined {
    if (this.#order === undefined) return undefined;
    const { isReady, isSubscribed, both, quiet } = this.#ports;
    const { copied, total, latestFrom, lacking } = this.#copy;
    const quietMs = quiet?.ms();
    return {
      ...{ step: this.#order.step, isReady: isReady(), isSubscribed: isSubscribed() },
      ...{ fault: this.#fault, waiting: this.#waiting, copied, total, isCopied: latestFrom !== undefined },
      isBoth: this.#order.storesBoth && both?.isBoth() === true,
      ...(lacking === undefined ? {} : { lacking }),
      ...(quietMs === undefined ? {} : { quietMs }),
      ...(this.#comparison === undefined ? {} : { comparison: this.#comparison }),
    };
  }

  stop(): void {
    this.#ending.abort();
  }

  async close(): Promise<void> {
    this.stop();
    await this.#working;
  }

  #peerOf({ peer }: MoveOrder): Peer | undefined {
    const { findPeer, connector } = this.#ports;
    return peer === "" ? undefined : findPeer?.(peer, connector);
  }

  async #work(told: MoveOrder, signal: AbortSignal): Promise<void> {
    const { clock, connector, findPeer, portable: here } = this.#ports;
    const { copySince, compare, side } = told;
    if (copySince === undefined && compare === undefined) return;
    if (here === undefined || findPeer === undefined) return void (this.#fault = CANNOT);
    const there = this.#peerOf(told);
    if (there === undefined) return void (this.#waiting = AWAY);
    if (copySince !== undefined) {
      const ports = { here, there, clock, changed: () => this.#worked() };
      return this.#insist(signal, () => copyOn(ports, copySince, this.#copy, signal));
    }
    const { retentionDays } = connector.config.resources.specs.database;
    await this.#insist(signal, async () => {
      const halves = { side, here, there, clock, retentionDays };
      const found = compare === undefined ? undefined : await compareHalves(halves, compare, signal);
      if (!signal.aborted) this.#comparison = found;
    });
  }

  /** Does one thing until it is done, and again where it cannot be done now. */
  async #insist(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
        return signal.aborted ? undefined : this.#worked();
      } catch (error) {
        if (signal.aborted) return;
        this.#waiting = hideUrlSecrets(error instanceof Error ? error.message : String(error));
        if (error instanceof UncopiedError) this.#fault = this.#waiting;
        this.#ports.changed();
        await this.#ports.clock.sleep(AGAIN_MS, signal);
      }
    }
  }

  #worked(): void {
    this.#waiting = "";
    this.#ports.changed();
  }
}

/** Stands for the other half while it has no host: nothing is stored by one alone. */
const NOBODY: Importing = { importAll: () => Promise.reject(new Error(AWAY)) };
