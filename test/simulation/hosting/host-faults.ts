import type { Chance } from "../chance.ts";
import { someOf } from "../faults.ts";

/** One thing that goes wrong with hosts and their engines; durations in ms. */
export type HostFault =
  | { readonly kind: "kill-host"; readonly who: string; readonly forMs: number }
  | { readonly kind: "stop-host"; readonly who: string; readonly graceMs: number; readonly forMs: number }
  | { readonly kind: "pause-host"; readonly who: string; readonly forMs: number }
  | { readonly kind: "jump-host-clock"; readonly who: string; readonly byMs: number }
  | { readonly kind: "cut-host"; readonly who: string; readonly forMs: number }
  | { readonly kind: "answers-lost"; readonly who: string; readonly forMs: number }
  | { readonly kind: "told-late"; readonly who: string; readonly byMs: number; readonly forMs: number }
  | { readonly kind: "told-again"; readonly who: string; readonly forMs: number }
  | { readonly kind: "cut-from-broker"; readonly who: string; readonly forMs: number }
  | { readonly kind: "slow-to-close"; readonly who: string; readonly byMs: number; readonly forMs: number }
  | { readonly kind: "broker-away"; readonly forMs: number }
  | { readonly kind: "databases-away"; readonly forMs: number };

/** How hosts go wrong in one seed: which faults it draws from, and how calls travel meanwhile. */
export interface HostMischief {
  readonly kinds: readonly HostFault["kind"][];
  readonly everyMs: number;
  /** Share of calls that are lost, each way. */
  readonly drop: number;
  readonly delayMs: number;
  /** Share of calls of a database that fail. */
  readonly storeFails: number;
  readonly storeSlowMs: number;
}

const KINDS: readonly HostFault["kind"][] = [
  ...(["kill-host", "stop-host", "pause-host", "jump-host-clock", "cut-host", "answers-lost"] as const),
  ...(["told-late", "told-again", "cut-from-broker", "slow-to-close", "broker-away", "databases-away"] as const),
];

/** Draws how the hosts of one seed go wrong. */
export function drawHostMischief(chance: Chance): HostMischief {
  return {
    kinds: someOf(chance, KINDS),
    everyMs: chance.pick([1_500, 3_000, 6_000]),
    drop: chance.pick([0, 0, 0.02, 0.15]),
    delayMs: chance.pick([2, 2, 50, 400]),
    storeFails: chance.pick([0, 0, 0.02, 0.15]),
    storeSlowMs: chance.pick([5, 5, 100, 600]),
  };
}

/** Draws the next fault of a host. */
export function drawHostFault(
  chance: Chance,
  kinds: readonly HostFault["kind"][],
  hosts: readonly string[],
): HostFault {
  const kind = chance.pick(kinds);
  const who = chance.pick(hosts);
  const forMs = chance.happens(0.7) ? chance.between(50, 4_000) : chance.between(4_000, 20_000);
  switch (kind) {
    case "stop-host":
      return { kind, who, graceMs: chance.pick([0, 2_000, 6_000]), forMs };
    case "jump-host-clock":
      return { kind, who, byMs: chance.between(-3_600_000, 3_600_000) };
    case "told-late":
      return { kind, who, byMs: chance.between(200, 4_000), forMs };
    case "slow-to-close":
      return { kind, who, byMs: chance.pick([500, 3_000, 12_000]), forMs };
    case "broker-away":
    case "databases-away":
      return { kind, forMs };
    default:
      return { kind, who, forMs };
  }
}
