import type { Clock } from "@skep/kit/clock.ts";
import { sleepBy } from "@skep/kit/clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Journal } from "../loop/journal.ts";
import type { Memo } from "../loop/memo.ts";

/**
 * What a process sees of the world; after `kill` nothing it waits for ever comes, as for a process
 * that is gone.
 */
export interface Mortal {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly journal: Journal;
  readonly healthyMemo: Memo;
  kill(): void;
}

/** Puts a life between a process and the world. */
export function createMortal(world: {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly journal: Journal;
  readonly healthyMemo: Memo;
}): Mortal {
  let alive = true;
  const never = new Promise<never>(() => {});
  const timer: Clock["timer"] = (delayMs, run) => world.clock.timer(delayMs, () => void (alive && run()));

  /** Passes calls on while alive; calls of the dead, and answers to them, come to nothing. */
  function guard<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          if (!alive) return never;
          const result: unknown = member.apply(target, args);
          return result instanceof Promise
            ? result.then(
                value => (alive ? value : never),
                error => (alive ? Promise.reject(error) : never),
              )
            : result;
        };
      },
    });
  }

  return {
    clock: {
      now: world.clock.now,
      monotonic: world.clock.monotonic,
      timer,
      sleep: (delayMs, signal) => sleepBy(timer, delayMs, signal),
    },
    engine: guard(world.engine),
    journal: guard(world.journal),
    healthyMemo: guard(world.healthyMemo),
    kill: () => {
      alive = false;
    },
  };
}
