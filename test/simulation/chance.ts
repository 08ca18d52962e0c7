import type { Random } from "@skep/kit/random.ts";

/** Choices out of one source of chance, in words. */
export interface Chance {
  /** True with this probability. */
  readonly happens: (probability: number) => boolean;
  /** A number between the two, both as ms or plain numbers; not rounded up to the end. */
  readonly between: (from: number, to: number) => number;
  /** A whole number between the two, both included. */
  readonly whole: (from: number, to: number) => number;
  /** One of the items; they must not be empty. */
  readonly pick: <T>(items: readonly T[]) => T;
}

/** Wraps a source of chance. */
export function createChance(random: Random): Chance {
  const whole = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  return {
    happens: probability => random() < probability,
    between: (from, to) => Math.floor(from + random() * (to - from)),
    whole,
    pick: items => items[whole(0, items.length - 1)]!,
  };
}
