import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { HostLoad } from "@skep/core/workspace/host.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** Names of the numbers of a workspace that its host's load is made of. */
const CONNECTIONS = "events.sockets";
const MESSAGES = "ingest.stored";
/** What a restarted container counts anew, and what a short time would blow up, is evened out. */
const EVEN_OVER_MS = 5_000;

/**
 * Measures what a host does by what its workspaces count: their sockets, and how many messages they
 * store in a second.
 */
export function createLoadMeter(
  clock: Pick<Clock, "monotonic">,
  memoryShare: () => number,
): (workspaces: readonly HostedStatus[]) => HostLoad {
  let last = { atMs: clock.monotonic(), messages: new Map<string, number>() };
  let perSecond = 0;

  return workspaces => {
    const messages = new Map(workspaces.map(one => [one.workspaceId, one.counts[MESSAGES] ?? 0]));
    const passedMs = clock.monotonic() - last.atMs;
    if (passedMs > 0) {
      const added = [...messages].map(([id, count]) => Math.max(0, count - (last.messages.get(id) ?? count)));
      const rate = (added.reduce((sum, one) => sum + one, 0) * 1_000) / passedMs;
      perSecond += (rate - perSecond) * Math.min(1, passedMs / EVEN_OVER_MS);
      last = { atMs: clock.monotonic(), messages };
    }
    return {
      connections: workspaces.reduce((sum, one) => sum + (one.counts[CONNECTIONS] ?? 0), 0),
      messagesPerSecond: perSecond,
      memoryShare: Math.min(1, Math.max(0, memoryShare())),
    };
  };
}
