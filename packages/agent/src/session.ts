import { decodeAssignment, decodeFetchReply, encodeFetch, type DecodedAssignment } from "@skep/api/codec/assignment.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { NodeLoad } from "@skep/core/model/node.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import type { Reporter } from "./reporter.ts";

/** What the agent runs, in one number that the scheduler can compute as well. */
export interface Digest {
  readonly digest: bigint;
  readonly instances: number;
}

/** One life of the agent in the scheduler's eyes: it beats, hears assignments, and asks for them. */
export interface Session {
  /** Asks for the assignment now; `false` where nobody answered. */
  fetch(): Promise<boolean>;
  /** Tells that the agent was told to end. */
  sayLeaving(): void;
  close(): void;
}

/** What a session is made from. */
export interface SessionDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly reporter: Reporter;
  readonly bootId: () => string;
  readonly held: () => Assignment | undefined;
  readonly digest: () => Digest;
  readonly load: () => NodeLoad | undefined;
  /** Takes what arrived. */
  readonly take: (arrived: DecodedAssignment) => void;
  /** The scheduler says that what is held is current. */
  readonly confirm: () => void;
}

const BEAT_MS = 1_000;
/** Beats of many nodes shall not fall together. */
const BEAT_JITTER = 0.1;
const FETCH_EVERY_MS = 30_000;
/** Until the first answer the agent asks more often: there may be work waiting. */
const FETCH_RETRY_MS = 2_000;
const FETCH_TIMEOUT_MS = 2_000;

/**
 * Begins a session. The full report goes first; beats, which say "ready", only follow once it has landed, so that nobody
 * decides on what a node ran before it was away.
 */
export function beginSession(deps: SessionDeps): Session {
  const { bus, clock, random, log, nodeId, sessionId, reporter } = deps;
  const closing = new AbortController();
  let seq = 0;

  function beat(leaving: boolean): void {
    const held = deps.held();
    const bytes = encodeBeat({
      ...{ nodeId, sessionId, bootId: deps.bootId(), seq: ++seq, leaving, at: clock.now(), load: deps.load() },
      ...{ appliedTerm: held?.term ?? 0, appliedRevision: held?.revision ?? 0, reportSeq: reporter.lastSeq() },
      ...deps.digest(),
    });
    bus.publish(nodeSubject("beat", nodeId), bytes);
  }

  async function keepBeating(): Promise<void> {
    while (!closing.signal.aborted) {
      if (reporter.landed() && bus.connected()) beat(false);
      await clock.sleep(BEAT_MS * (1 + BEAT_JITTER * (2 * random() - 1)), closing.signal);
    }
  }

  async function fetch(): Promise<boolean> {
    const held = deps.held();
    const question = encodeFetch({ nodeId, sessionId, term: held?.term ?? 0, revision: held?.revision ?? 0 });
    try {
      const reply = decodeFetchReply(
        await bus.request(nodeSubject("fetch", nodeId), question, { timeoutMs: FETCH_TIMEOUT_MS }),
      );
      if (reply === undefined) deps.confirm();
      else deps.take(reply);
      return true;
    } catch (error) {
      log.debug("assignment.unanswered", "Nobody answered what this node is to run.", { error });
      return false;
    }
  }

  async function keepFetching(): Promise<void> {
    while (!closing.signal.aborted) {
      const answered = await fetch();
      await clock.sleep(answered ? FETCH_EVERY_MS : FETCH_RETRY_MS * (1 + random()), closing.signal);
    }
  }

  const assignments = bus.subscribe(nodeSubject("assign", nodeId), message => {
    try {
      deps.take(decodeAssignment(message.data));
    } catch (error) {
      log.error("assignment.unreadable", "An assignment could not be read; what was held before stands.", { error });
    }
  });
  const status = bus.onStatus(connected => {
    log.info(
      connected ? "uplink.connected" : "uplink.lost",
      connected ? "The bus is back." : "The bus is away: what runs, runs on.",
    );
    if (!connected) return;
    reporter.sayAll();
    void fetch();
  });
  reporter.sayAll();
  void keepFetching();
  void keepBeating();
  return {
    fetch,
    sayLeaving: () => beat(true),
    close: () => {
      closing.abort();
      assignments.close();
      status.close();
    },
  };
}
