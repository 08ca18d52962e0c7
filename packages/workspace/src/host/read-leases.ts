import type { HostAnswer, WorkspaceEpoch } from "@skep/core/workspace/host-report.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** Until when this host may read which workspace, by its own clock that never goes back. */
export interface ReadLeases {
  /**
   * Takes the answer to a report that named these. What was granted holds from when the report was
   * sent: the scheduler counted later, so this host ends first. What was named and not granted ends
   * now.
   */
  answered(sentAtMs: number, named: readonly WorkspaceEpoch[], answer: HostAnswer): void;
  mayRead(of: WorkspaceEpoch): boolean;
  /** Whether anything was answered within the time that an answer holds. */
  isHeard(): boolean;
}

/** Makes them; nothing may be read before the first answer. */
export function createReadLeases(clock: Pick<Clock, "monotonic">): ReadLeases {
  const until = new Map<string, number>();
  let heardUntil = -Infinity;

  return {
    answered: (sentAtMs, named, { granted, holdMs }) => {
      const ends = sentAtMs + holdMs;
      const own = new Set(granted.map(keyOf));
      for (const one of named) if (!own.has(keyOf(one))) until.delete(keyOf(one));
      for (const key of own) until.set(key, ends);
      for (const [key, end] of until) if (end <= clock.monotonic()) until.delete(key);
      heardUntil = ends;
    },
    mayRead: of => clock.monotonic() < (until.get(keyOf(of)) ?? -Infinity),
    isHeard: () => clock.monotonic() < heardUntil,
  };
}

function keyOf({ workspaceId, epoch }: WorkspaceEpoch): string {
  return `${workspaceId} ${epoch}`;
}
