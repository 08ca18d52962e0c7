import type { RefusalReason } from "./refusal.ts";

/** What the events of a workspace count since it was opened. */
export interface EventCounts {
  emitted: number;
  delivered: number;
  /** Deliveries that a socket missed, because it was slow or over its limit. */
  dropped: number;
  /** Events that no socket could read. */
  unreadable: number;
  /** Sockets that went on where they were. */
  recovered: number;
  readonly refused: Map<RefusalReason, number>;
}

/** Nothing counted yet. */
export function createCounts(): EventCounts {
  return { emitted: 0, delivered: 0, dropped: 0, unreadable: 0, recovered: 0, refused: new Map() };
}

/** Counts a refusal. */
export function countRefusal({ refused }: EventCounts, reason: RefusalReason): void {
  refused.set(reason, (refused.get(reason) ?? 0) + 1);
}

/** All of it by name, each reason of a refusal as `refused.REASON`. */
export function numbersOf({ refused, ...counts }: EventCounts): Readonly<Record<string, number>> {
  const reasons = [...refused].map(([reason, count]): [string, number] => [`refused.${reason}`, count]);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  return { ...counts, refused: total, ...Object.fromEntries(reasons) };
}
