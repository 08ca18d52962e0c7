import type { Chance } from "./chance.ts";

/**
 * One thing that goes wrong; durations in ms. `who` is the name of a scheduler or the id of a node.
 */
export type Fault =
  | { readonly kind: "kill-scheduler"; readonly who: string | "leader"; readonly forMs: number }
  | { readonly kind: "kill-agent"; readonly who: string; readonly forMs: number }
  | { readonly kind: "pause"; readonly who: string; readonly forMs: number }
  | { readonly kind: "jump-clock"; readonly who: string; readonly byMs: number }
  | { readonly kind: "cut"; readonly who: string; readonly how: "noticed" | "unnoticed"; readonly forMs: number }
  | { readonly kind: "isolate"; readonly who: string; readonly forMs: number }
  | { readonly kind: "lose-node"; readonly who: string; readonly forMs: number | undefined }
  | { readonly kind: "store-away"; readonly forMs: number }
  | { readonly kind: "store-away-from"; readonly who: string; readonly forMs: number }
  | { readonly kind: "store-clock"; readonly byMs: number }
  | { readonly kind: "journal-lost"; readonly who: string; readonly forMs: number }
  | { readonly kind: "disk-full"; readonly who: string; readonly forMs: number }
  | { readonly kind: "bus-away"; readonly forMs: number }
  | { readonly kind: "engine-away"; readonly who: string; readonly forMs: number }
  | { readonly kind: "engine-slow"; readonly who: string; readonly forMs: number }
  | { readonly kind: "container-crash"; readonly who: string }
  | { readonly kind: "container-vanish"; readonly who: string }
  | { readonly kind: "container-hang"; readonly who: string; readonly forMs: number }
  | { readonly kind: "container-unwell"; readonly who: string; readonly forMs: number }
  | { readonly kind: "stranger"; readonly who: string }
  | { readonly kind: "strangers"; readonly who: string }
  | { readonly kind: "row-lost" }
  | { readonly kind: "misdelivery"; readonly who: string }
  | { readonly kind: "impersonate"; readonly who: string; readonly other: string }
  | { readonly kind: "drain"; readonly who: string; readonly forMs: number | undefined };

/**
 * How a run goes wrong: which faults it draws from, how often, and what the network and the store
 * do meanwhile.
 */
export interface Mischief {
  readonly kinds: readonly Fault["kind"][];
  readonly everyMs: number;
  readonly drop: number;
  readonly double: number;
  /** Messages take up to this long, each its own time, so that they overtake each other. */
  readonly delayMs: number;
  /** Share of messages that arrive up to tens of seconds late. */
  readonly late: number;
  /**
   * Share of store calls that fail before they happen, and of those that happen although the caller
   * hears of a failure.
   */
  readonly storeFails: number;
  readonly commitUnknown: number;
  /** Share of store calls that happen long after their caller gave up. */
  readonly storeLate: number;
  /** A database call takes up to this long. */
  readonly storeSlowMs: number;
  /** Share of engine calls whose answer is lost after they happened. */
  readonly engineLoses: number;
}

const KINDS: readonly Fault["kind"][] = [
  "kill-scheduler",
  "kill-agent",
  "pause",
  "jump-clock",
  "cut",
  "isolate",
  "lose-node",
  "store-away",
  "store-away-from",
  "store-clock",
  "journal-lost",
  "disk-full",
  "bus-away",
  "engine-away",
  "engine-slow",
  "container-crash",
  "container-vanish",
  "container-hang",
  "container-unwell",
  "stranger",
  "strangers",
  "row-lost",
  "misdelivery",
  "impersonate",
  "drain",
];

/**
 * Draws some kinds of fault for a seed. Each leaves out some, since a fault that is always there
 * hides what only shows in its absence.
 */
export function someOf<Kind>(chance: Chance, kinds: readonly Kind[]): readonly Kind[] {
  const kept = kinds.filter(() => chance.happens(0.6));
  return kept.length === 0 ? kinds : kept;
}

/** Draws how one seed goes wrong. */
export function drawMischief(chance: Chance): Mischief {
  return {
    kinds: someOf(chance, KINDS),
    everyMs: chance.pick([700, 1_500, 3_000]),
    drop: chance.pick([0, 0, 0.02, 0.2]),
    double: chance.pick([0, 0, 0.05, 0.3]),
    delayMs: chance.pick([2, 2, 50, 800]),
    late: chance.pick([0, 0, 0.01, 0.05]),
    storeFails: chance.pick([0, 0, 0.02, 0.15]),
    commitUnknown: chance.pick([0, 0, 0.02, 0.1]),
    storeLate: chance.pick([0, 0, 0.01, 0.05]),
    storeSlowMs: chance.pick([4, 4, 300, 8_000]),
    engineLoses: chance.pick([0, 0, 0.03, 0.1]),
  };
}

/**
 * Draws the next fault. `mayLose` says whether one more node may go for good: a fleet that loses
 * more than a third at once freezes until a person looks, so the second goes only when the first is
 * known to be down.
 */
export function drawFault(
  chance: Chance,
  kinds: readonly Fault["kind"][],
  names: { readonly schedulers: readonly string[]; readonly nodes: readonly string[] },
  mayLose: boolean,
): Fault {
  const kind = chance.pick(kinds);
  const node = chance.pick(names.nodes);
  const anybody = chance.pick([...names.schedulers, ...names.nodes]);
  const forMs = chance.happens(0.7) ? chance.between(50, 3_000) : chance.between(3_000, 25_000);
  const isLast = chance.happens(0.3) && mayLose;
  switch (kind) {
    case "kill-scheduler":
      return { kind, who: chance.happens(0.5) ? "leader" : chance.pick(names.schedulers), forMs };
    case "jump-clock":
      return { kind, who: anybody, byMs: chance.between(-3_600_000, 3_600_000) };
    case "cut":
      return { kind, who: anybody, how: chance.pick(["noticed", "unnoticed"]), forMs };
    case "pause":
      return { kind, who: anybody, forMs };
    case "lose-node":
      return { kind, who: node, forMs: isLast ? undefined : forMs + 500 };
    case "drain":
      return { kind, who: node, forMs: isLast ? undefined : forMs };
    case "store-away":
    case "bus-away":
      return { kind, forMs };
    case "store-away-from":
      return { kind, who: chance.pick(names.schedulers), forMs };
    case "store-clock":
      return { kind, byMs: chance.between(-5_000, 5_000) };
    case "row-lost":
      return { kind };
    case "impersonate": {
      const others = names.nodes.filter(one => one !== node);
      return { kind, who: node, other: chance.pick(others) };
    }
    case "misdelivery":
    case "container-crash":
    case "container-vanish":
    case "stranger":
    case "strangers":
      return { kind, who: node };
    default:
      return { kind, who: node, forMs };
  }
}
