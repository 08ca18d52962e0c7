import type { Mode } from "./connector.ts";

/** What a workspace is for, as far as its mode depends on it (R125). */
export interface Purpose {
  readonly environment: "development" | "testing" | "production";
  readonly scale: "small" | "large";
  /** A regulator or a contract asks for resources of its own (R23). */
  readonly isRegulated: boolean;
  /** Latency or throughput have to be the same at any time (R5). */
  readonly needsPerformance: boolean;
  /** The price counts most. */
  readonly isCostSensitive: boolean;
}

/** One row of the selection table. */
export interface SelectionRule {
  readonly name: string;
  readonly mode: Mode;
  /** Whether the other mode is refused, and not merely advised against. */
  readonly isBinding: boolean;
  readonly because: string;
}

interface Row extends SelectionRule {
  readonly holds: (purpose: Purpose) => boolean;
}

/** In the order in which they decide: what a neighbour may not endanger comes first. */
const ROWS: readonly Row[] = [
  {
    ...{ name: "regulatory-compliance", mode: "standalone", isBinding: true },
    because: "a regulated tenant needs a database, a broker and files that nobody shares",
    holds: purpose => purpose.isRegulated,
  },
  {
    ...{ name: "high-performance", mode: "standalone", isBinding: false },
    because: "what has to be predictable needs resources that no neighbour can use up",
    holds: purpose => purpose.needsPerformance,
  },
  {
    ...{ name: "large-production", mode: "standalone", isBinding: false },
    because: "a large workload scales better by itself",
    holds: purpose => purpose.environment === "production" && purpose.scale === "large",
  },
  {
    ...{ name: "cost-sensitive", mode: "shared", isBinding: false },
    because: "shared resources cost the least",
    holds: purpose => purpose.isCostSensitive,
  },
  {
    ...{ name: "development", mode: "shared", isBinding: false },
    because: "development needs no resources of its own",
    holds: purpose => purpose.environment === "development",
  },
  {
    ...{ name: "testing", mode: "shared", isBinding: false },
    because: "tests need no resources of their own",
    holds: purpose => purpose.environment === "testing",
  },
  {
    ...{ name: "small-production", mode: "shared", isBinding: false },
    because: "a small workload is served well beside others",
    holds: () => true,
  },
];

/** The selection table (R125): which mode fits which purpose, the deciding row first. */
export const SELECTION: readonly SelectionRule[] = ROWS.map(ruleOf);

/** The row that decides for a purpose. */
export function selectMode(purpose: Purpose): SelectionRule {
  return ruleOf(ROWS.find(row => row.holds(purpose))!);
}

/**
 * The row by which a mode is refused: only a binding one refuses; `undefined` where the mode may be
 * had.
 */
export function refusedBy(mode: Mode, purpose: Purpose): SelectionRule | undefined {
  const rule = selectMode(purpose);
  return rule.isBinding && rule.mode !== mode ? rule : undefined;
}

function ruleOf({ name, mode, isBinding, because }: SelectionRule): SelectionRule {
  return { name, mode, isBinding, because };
}
