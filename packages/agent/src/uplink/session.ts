import { decodeAssignment, decodeFetchReply, encodeFetch, type DecodedAssignment } from "@skep/api/codec/assignment.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { stampOf } from "@skep/core/identity/assignment-line.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { NodeLoad } from "@skep/core/model/node.ts";
import type { Bus, BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops, Outage, OutageWords } from "@skep/kit/loops.ts";
import type { Random } from "@skep/kit/random.ts";
import type { Digest } from "../loop/picture.ts";
import { appliedOf } from "./applied.ts";
import type { Reporter } from "./reporter.ts";

/** What a session is made from. */
export interface SessionDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly loops: Loops;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly reporter: Reporter;
  readonly bootId: () => string;
  readonly held: () => Assignment | undefined;
  /** Whether nothing is missing of what is held, so that it need not be sent again. */
  readonly isComplete: () => boolean;
  /** Why the last assignment that arrived was refused; `""` while none is. */
  readonly refused: () => string;
  readonly digest: () => Digest;
  readonly load: () => NodeLoad | undefined;
  /** Takes what arrived. */
  readonly take: (arrived: DecodedAssignment) => void;
  /** The scheduler says that what is held is current. */
  readonly confirm: () => void;
}

const BEAT_MS = 1_000;
/** Chance keeps the beats of many nodes from falling together. */
const BEAT_JITTER = 0.1;
const FETCH_EVERY_MS = 30_000;
/** Until the first answer the agent asks more often: there may be work waiting. */
const FETCH_RETRY_MS = 2_000;
const FETCH_TIMEOUT_MS = 2_000;

/** One line when they begin and one when they end, however many come. */
const UNREADABLE: OutageWords = {
  failed: {
    event: "assignment.unreadable",
    level: "error",
    sentence: "Assignments cannot be read; what was held before stands. Update the older side.",
  },
  recovered: { event: "assignment.readable", sentence: "Assignments can be read again." },
};

/**
 * One life of the agent for the scheduler: it sends beats, takes assignments, and asks for them.
 * The full report goes first; beats, which say "ready", only follow once it has landed, so that
 * nobody decides on what a node ran before.
 */
export class Session {
  readonly #deps: SessionDeps;
  readonly #closing = new AbortController();
  readonly #subscriptions: readonly BusSubscription[];
  readonly #reading: Outage;
  #seq = 0;

  /** Begins the session at once. */
  constructor(deps: SessionDeps) {
    const { bus, nodeId, reporter } = deps;
    this.#deps = deps;
    this.#reading = deps.loops.watch("assignments", { words: UNREADABLE });
    this.#subscriptions = [
      bus.subscribe(nodeSubject("assign", nodeId), message => this.#hear(message)),
      bus.onStatus(connected => this.#onStatus(connected)),
    ];
    reporter.beginAnew();
    void this.#keepFetching();
    void this.#keepBeating();
  }

  /** Asks for the assignment now; `false` where nobody answered. */
  async fetch(): Promise<boolean> {
    const { bus, nodeId, sessionId, take, confirm, isComplete, log } = this.#deps;
    const held = isComplete() ? this.#deps.held() : undefined;
    const { incarnation = "", term = 0, revision = 0, stamps = [] } = held ?? {};
    const mark = { incarnation, term, revision, ...stampOf({ stamps }) };
    const question = encodeFetch({ nodeId, sessionId, ...mark });
    try {
      const answer = await bus.request(nodeSubject("fetch", nodeId), question, { timeoutMs: FETCH_TIMEOUT_MS });
      const arrived = this.#read(() => decodeFetchReply(answer));
      if (arrived === undefined) confirm();
      else take(arrived);
      return true;
    } catch (error) {
      log.debug("assignment.unanswered", "Nobody answered what this node is to run.", { error });
      return false;
    }
  }

  /** Tells that the agent was told to end. */
  sayLeaving(): void {
    this.#beat(true);
  }

  /** Ends the session without a word. */
  close(): void {
    this.#closing.abort();
    for (const subscription of this.#subscriptions) subscription.close();
    this.#reading.close();
  }

  #hear(message: BusMessage): void {
    try {
      this.#deps.take(this.#read(() => decodeAssignment(message.data)));
    } catch {
      // Said by the outage.
    }
  }

  #read<T>(decode: () => T): T {
    try {
      const read = decode();
      // A fetch may bring the word alone that what is held is current: nothing was read then.
      if (read !== undefined) this.#reading.succeeded();
      return read;
    } catch (error) {
      this.#reading.failed(error);
      throw error;
    }
  }

  #onStatus(connected: boolean): void {
    const { log, reporter } = this.#deps;
    if (!connected) return log.warn("uplink.lost", "The bus is away: what runs, runs on.");
    log.info("uplink.connected", "The bus is back: reporting in full.");
    reporter.beginAnew();
    void this.fetch();
  }

  #beat(leaving: boolean): void {
    const { bus, clock, nodeId, sessionId, bootId, load, digest, reporter } = this.#deps;
    const bytes = encodeBeat({
      nodeId,
      sessionId,
      leaving,
      bootId: bootId(),
      seq: ++this.#seq,
      at: clock.now(),
      load: load(),
      ...appliedOf(this.#deps.held()),
      refused: this.#deps.refused(),
      reportSeq: reporter.lastSeq(),
      ...digest(),
    });
    bus.publish(nodeSubject("beat", nodeId), bytes);
  }

  async #keepBeating(): Promise<void> {
    const { bus, clock, random, reporter } = this.#deps;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      if (reporter.hasLanded() && bus.connected()) this.#beat(false);
      await clock.sleep(BEAT_MS * (1 + BEAT_JITTER * (2 * random() - 1)), signal);
    }
  }

  async #keepFetching(): Promise<void> {
    const { clock, random } = this.#deps;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const answered = await this.fetch();
      await clock.sleep(answered ? FETCH_EVERY_MS : FETCH_RETRY_MS * (1 + random()), signal);
    }
  }
}
