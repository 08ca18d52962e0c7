import { sleepBy, type Clock } from "./clock.ts";

/** A clock that stands still until it is told to go; for tests and the simulator. */
export interface VirtualClock extends Clock {
  /**
   * Lets `durationMs` pass: every timer due until then runs, in order of its time, then of its
   * creation.
   */
  advance(durationMs: number): Promise<void>;
  /**
   * Goes on, timer by timer, until `done` holds or `withinMs` have passed; answers whether `done`
   * held.
   */
  runUntil(done: () => boolean, withinMs: number): Promise<boolean>;
  /** Lets every promise that can go on do so, without letting time pass. */
  settle(): Promise<void>;
  /** When the next timer is due; `undefined` when none is set. */
  nextAt(): number | undefined;
}

interface Timer {
  readonly at: number;
  readonly number: number;
  readonly run: () => void;
  cancelled: boolean;
}

/**
 * Makes a clock that shows `startAt` (ms since the epoch) until it is advanced. Timers run one at a
 * time; between two of them all promise reactions come to rest, so the same calls give the same
 * order of events each time. That holds as long as nothing waits for the outside world (sockets,
 * files, real timers) in between.
 * `afterEach` is called when all that a timer set off has come to rest.
 */
export function createVirtualClock(startAt = 0, afterEach?: () => void): VirtualClock {
  const heap = new TimerHeap();
  let nowMs = startAt;
  let created = 0;

  /** Runs the next timer that is due until then, unless there is none. */
  function runNext(until: number): boolean {
    const timer = heap.peek();
    if (timer === undefined || timer.at > until) return false;
    heap.pop();
    nowMs = Math.max(nowMs, timer.at);
    timer.run();
    return true;
  }

  const clock: VirtualClock = {
    // Whole, as the machine's own is.
    now: () => Math.floor(nowMs),
    monotonic: () => nowMs - startAt,
    timer: (delayMs, run) => {
      const timer = { at: nowMs + Math.max(0, delayMs), number: created++, run, cancelled: false };
      heap.push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    sleep: (delayMs, signal) => sleepBy(clock.timer, delayMs, signal),
    advance: async durationMs => {
      const until = nowMs + durationMs;
      await comeToRest();
      while (runNext(until)) {
        await comeToRest();
        afterEach?.();
      }
      nowMs = Math.max(nowMs, until);
    },
    runUntil: async (done, withinMs) => {
      const until = nowMs + withinMs;
      await comeToRest();
      while (!done()) {
        if (!runNext(until)) {
          nowMs = Math.max(nowMs, until);
          return done();
        }
        await comeToRest();
        afterEach?.();
      }
      return true;
    },
    settle: comeToRest,
    nextAt: () => heap.peek()?.at,
  };
  return clock;
}

/** After so many rests the process looks at its sockets and timers: others share it. */
const RESTS_PER_TURN = 200;
let rests = 0;
const settled = Promise.resolve();

/**
 * A tick that a promise reaction asks for comes only after every reaction that is ready, however
 * many more these make ready; one that another tick asks for (a message of another process comes in
 * one) comes before them. It costs a fraction of an immediate, which goes around the whole event
 * loop.
 */
function comeToRest(): Promise<void> {
  return new Promise(resolve => {
    if (++rests % RESTS_PER_TURN === 0) setImmediate(resolve);
    // A reaction, since `queueMicrotask` makes a resource for each call.
    else void settled.then(() => process.nextTick(resolve));
  });
}

/**
 * A binary heap: the timer that is due first on top, the older one of two that are due together.
 */
class TimerHeap {
  readonly #items: Timer[] = [];

  peek(): Timer | undefined {
    while (this.#items[0]?.cancelled) this.pop();
    return this.#items[0];
  }

  push(timer: Timer): void {
    const items = this.#items;
    let at = items.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = timer;
  }

  pop(): void {
    const items = this.#items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child++;
      if (!isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
