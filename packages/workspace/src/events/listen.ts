import type { ResourceLimits } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { REPLAYS } from "./allowance.ts";
import { countRefusal, type EventCounts } from "./counts.ts";
import { formatOffset } from "@skep/core/workspace/offset.ts";
import { readOffset, type EventLog } from "./event-log.ts";
import type { FilterIndex } from "./filter-index.ts";
import { overLimit, Refusal } from "./refusal.ts";
import { checkSubscribe, readSubscribe } from "./request.ts";
import type { Subscriber } from "./subscriber.ts";
import { mayHear } from "./token.ts";

/** What the requests of a socket touch. */
export interface ListenSurroundings {
  readonly clock: Clock;
  readonly log: EventLog;
  readonly counts: EventCounts;
  readonly index: FilterIndex<Subscriber>;
  readonly limits: () => ResourceLimits;
  readonly catchUp: (subscriber: Subscriber) => void;
  /** Told once for each second in which the socket sends more than it may. */
  readonly flood: (subscriber: Subscriber) => void;
  readonly end: (subscriber: Subscriber, refusal: Refusal) => void;
}

/** So many times over its limit within a second, a socket is ended at once. */
const FLOOD = 10;

type Answer = (value: unknown) => void;

/** Answers what a socket asks for. */
export function listen(subscriber: Subscriber, around: ListenSurroundings): void {
  const { socket, filters } = subscriber;
  const { counts, index, log } = around;

  function refuse(refusal: Refusal, answer: Answer | undefined): void {
    countRefusal(counts, refusal.data.reason);
    if (answer === undefined) socket.emit("refused", refusal.data);
    else answer({ ok: false, ...refusal.data });
  }

  /** Answers a request, or says why not; what a stranger sends must never throw here. */
  function respond(args: readonly unknown[], handle: (value: unknown) => object): void {
    const answer = answerOf(args);
    try {
      const done = handle(args[0]);
      answer?.({ ok: true, ...done });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refuse(error, answer);
    }
  }

  function add(asked: readonly string[]): void {
    for (const filter of asked) {
      filters.add(filter);
      index.add(filter, subscriber);
    }
  }

  function subscribe(value: unknown): object {
    const { filters: asked, from } = readSubscribe(value);
    checkSubscribe(subscriber.grant, filters, asked, around.limits().channels);
    if (from !== undefined && !subscriber.allowances.replays.take(around.clock.monotonic())) {
      throw overLimit("replays", REPLAYS.perSecond);
    }
    add(asked);
    const offset = formatOffset(log.last);
    if (from === undefined) return { filters: [...filters], offset };
    // What is no longer kept is told as a gap; what is live goes on all the same.
    if (!log.has(from)) return { filters: [...filters], offset, gap: { from: formatOffset(from), to: offset } };
    subscriber.catchUp(from, asked);
    around.catchUp(subscriber);
    return { filters: [...filters], offset };
  }

  function unsubscribe(value: unknown): object {
    for (const filter of readSubscribe(value).filters) {
      filters.delete(filter);
      index.remove(filter, subscriber);
    }
    return { filters: [...filters] };
  }

  guard(subscriber, around, refuse);
  socket.on("subscribe", (...args: unknown[]) => respond(args, subscribe));
  socket.on("unsubscribe", (...args: unknown[]) => respond(args, unsubscribe));
  recover(subscriber, around, add);
}

/** Bounds what a socket sends, whatever it is. */
function guard(
  subscriber: Subscriber,
  around: ListenSurroundings,
  refuse: (refusal: Refusal, answer: Answer | undefined) => void,
): void {
  const { clock, counts } = around;
  let second = -Infinity;
  let refused = 0;
  let isTold = false;

  function overRate(answer: Answer | undefined): void {
    const { events } = around.limits();
    const now = clock.monotonic();
    if (now - second >= 1_000) {
      second = now;
      refused = 0;
      isTold = false;
      around.flood(subscriber);
    }
    refused += 1;
    if (refused >= events * FLOOD) return around.end(subscriber, new Refusal("FLOOD", "You send far too much."));
    // Who wants no answer is told once a second.
    if (answer === undefined && isTold) return countRefusal(counts, "LIMIT_EVENTS");
    isTold ||= answer === undefined;
    refuse(overLimit("events", events), answer);
  }

  subscriber.socket.use(([name, ...args], next) => {
    const answer = answerOf(args);
    // Who does not read the answers would let them pile up here.
    if (!subscriber.hasRoom()) {
      around.flood(subscriber);
      return around.end(subscriber, new Refusal("FLOOD", "You ask and do not read the answers."));
    }
    if (!subscriber.allowances.sent.take(clock.monotonic())) return overRate(answer);
    if (name === "subscribe" || name === "unsubscribe") return next();
    const known = "there are subscribe and unsubscribe";
    refuse(new Refusal("BAD_REQUEST", `There is no "${String(name).slice(0, 60)}": ${known}.`), answer);
  });
}

/** Gives a socket that came back what it had, as far as its token of now allows it. */
function recover(subscriber: Subscriber, around: ListenSurroundings, add: (filters: readonly string[]) => void): void {
  const { socket, grant } = subscriber;
  if (!socket.recovered) return;
  const { filters, from } = socket.data as { readonly filters: readonly string[]; readonly from: string };
  const offset = readOffset(from);
  const allowed = filters.filter(filter => mayHear(grant, filter)).slice(0, around.limits().channels);
  around.counts.recovered += 1;
  add(allowed);
  if (offset === undefined) return;
  subscriber.catchUp(offset, allowed);
  around.catchUp(subscriber);
}

function answerOf(args: readonly unknown[]): Answer | undefined {
  const last = args.at(-1);
  return typeof last === "function" ? (last as Answer) : undefined;
}
