import { LOAD_COUNTS } from "@skep/core/workspace/container.ts";
import type { HostedStatus } from "@skep/core/workspace/host-report.ts";
import type { Clock } from "@skep/kit/clock.ts";

/** What the process uses, in per cent: of one core, since it has one loop, and of its memory. */
export interface ProcessUsage {
  readonly cpu: number;
  readonly memory: number;
}

/** What a workspace does is known by what it stores and what its sockets are told. */
const WORK = ["ingest.stored", "events.delivered"] as const;
const MESSAGES = "ingest.stored";
const CONNECTIONS = "events.sockets";
/** Scaling goes by the last minute. */
const EVEN_OVER_MS = 60_000;

interface Measured {
  readonly counts: HostedStatus["counts"];
  work: number;
  messages: number;
  connections: number;
}

/**
 * Adds to what each workspace counts the load that scaling goes by. Nobody measures the cpu of one
 * workspace in a process of many: each is taken to use the part of it that is its part of the
 * work. What was not looked at for a minute has no load yet.
 */
export function createWorkspaceLoads(
  clock: Pick<Clock, "monotonic">,
  usage: () => ProcessUsage,
): (workspaces: readonly HostedStatus[]) => readonly HostedStatus[] {
  let known = new Map<string, Measured>();
  let [lastMs, cpu, memory] = [clock.monotonic(), 0, 0];
  const beganMs = lastMs;

  function look(workspaces: readonly HostedStatus[]): void {
    const passedMs = clock.monotonic() - lastMs;
    if (passedMs <= 0) return;
    lastMs = clock.monotonic();
    const part = Math.min(1, passedMs / EVEN_OVER_MS);
    const now = usage();
    cpu += (now.cpu - cpu) * part;
    memory += (now.memory - memory) * part;
    known = new Map(workspaces.map(one => [one.workspaceId, next(known.get(one.workspaceId), one, passedMs, part)]));
  }

  return workspaces => {
    look(workspaces);
    const total = [...known.values()].reduce((sum, { work }) => sum + work, 0);
    if (lastMs - beganMs < EVEN_OVER_MS) return workspaces;
    return workspaces.map(one => {
      const measured = known.get(one.workspaceId);
      if (measured === undefined || one.state !== "running") return one;
      const share = total === 0 ? 0 : measured.work / total;
      const load = {
        [LOAD_COUNTS.cpuUsage]: cpu * share,
        [LOAD_COUNTS.memoryUsage]: memory * share,
        [LOAD_COUNTS.connectionCount]: measured.connections,
        [LOAD_COUNTS.messagesPerSecond]: measured.messages,
      };
      return { ...one, counts: { ...load, ...one.counts } };
    });
  };
}

/** What a container that began anew counts anew is no negative work. */
function next(before: Measured | undefined, { counts }: HostedStatus, passedMs: number, part: number): Measured {
  const { work = 0, messages = 0, connections = 0 } = before ?? {};
  const rate = (name: string): number =>
    (Math.max(0, (counts[name] ?? 0) - (before?.counts[name] ?? counts[name] ?? 0)) * 1_000) / passedMs;
  const done = WORK.reduce((sum, name) => sum + rate(name), 0);
  return {
    counts,
    work: work + (done - work) * part,
    messages: messages + (rate(MESSAGES) - messages) * part,
    connections: connections + ((counts[CONNECTIONS] ?? 0) - connections) * part,
  };
}
