import type { Outage } from "@skep/kit/loops.ts";
import type { Running } from "./ports.ts";

/** Does what has the same key one after the other, and the rest together. */
export interface Turns extends Running {
  take(key: string, act: () => Promise<void>): void;
}

/** Makes an empty one; failures go to `outage`, and closing waits for what has begun. */
export function createTurns(outage: Outage): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    take: (key, act) => {
      const turn = (last.get(key) ?? Promise.resolve()).then(act).then(outage.succeeded, outage.failed);
      const done = turn.then(() => {
        if (last.get(key) === done) last.delete(key);
      });
      last.set(key, done);
    },
    close: async () => void (await Promise.all(last.values())),
  };
}
