import { SkepError } from "@skep/core/error.ts";
import type { HostAnswer, HostedStatus, HostReport } from "@skep/core/workspace/host-report.ts";
import type { HostLoad } from "@skep/core/workspace/host.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Enrolled, HostApi } from "./host-api.ts";
import type { Keeper } from "./keeper.ts";
import type { ReadLeases } from "./read-leases.ts";

/** What a process is beside its workspaces. */
export interface HostFacts {
  /** Of the Swarm; empty where it is in none. */
  readonly nodeId: string;
  readonly startedAt: number;
  readonly version: string;
  /** Where it serves events and data; 0 where it does not. */
  readonly eventsPort: number;
  /** At which schedulers and edges reach it; empty where they reach it as they are called from. */
  readonly address: string;
  /** Most workspaces that it may run. */
  readonly most: number;
  /** What it does at present, with these workspaces. */
  readonly load: (workspaces: readonly HostedStatus[]) => HostLoad;
  /** Adds the load of each of them to what it counts. */
  readonly loads?: (workspaces: readonly HostedStatus[]) => readonly HostedStatus[];
}

/** What reporting works with. */
export interface ReporterOptions {
  readonly api: HostApi;
  readonly clock: Clock;
  readonly loops: Loops;
  readonly facts: HostFacts;
  readonly enrolled: Enrolled;
  readonly keeper: Keeper;
  readonly leases: ReadLeases;
  readonly isDraining: () => boolean;
  readonly onAnswer: (answer: HostAnswer) => void;
}

/** Says each second how this host is, and at once when something changed. */
export interface Reporter {
  hint(): void;
  close(): Promise<void>;
}

/**
 * One answer that is lost must end no lease: after this time another report is sent, and both fit
 * into the time that an answer holds.
 */
const ANSWER_MS = 600;
const GAP_MS = 50;
const PERIOD_MS = 1_000;
const RETRY = { baseMs: 50, maxMs: 200 };

/** Begins at once. */
export function createReporter(options: ReporterOptions): Reporter {
  const { api, clock, loops, facts, enrolled, keeper, leases } = options;
  const closing = new AbortController();
  let seq = 0;

  async function run(): Promise<void> {
    const counted = keeper.statuses();
    const workspaces = facts.loads?.(counted) ?? counted;
    const { hostId, workspaceId } = enrolled;
    const report: HostReport = {
      ...{ hostId, workspaceId, nodeId: facts.nodeId, startedAt: facts.startedAt, version: facts.version },
      ...{
        seq: ++seq,
        availability: options.isDraining() ? "drain" : "active",
        most: facts.most,
        load: facts.load(workspaces),
      },
      ...{ address: facts.address, eventsPort: facts.eventsPort },
      ...{ applied: keeper.applied(), workspaces },
    };
    const sentAtMs = clock.monotonic();
    const answer = await within(clock, ANSWER_MS, closing.signal, signal => api.report(report, signal));
    if (closing.signal.aborted) return;
    leases.answered(sentAtMs, workspaces, answer);
    keeper.ended(answer.ended, answer.revision);
    options.onAnswer(answer);
  }

  const loop = loops.begin("report", run, { minGapMs: GAP_MS, periodMs: PERIOD_MS, retry: RETRY });
  loop.hint();
  return {
    hint: () => loop.hint(),
    close: async () => {
      closing.abort();
      await loop.close();
    },
  };
}

/** Gives a call up when it takes too long; what it answers then counts for nothing. */
async function within<T>(
  clock: Clock,
  mostMs: number,
  closing: AbortSignal,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const answered = new AbortController();
  const signal = AbortSignal.any([late.signal, closing]);
  const silence = clock.sleep(mostMs, AbortSignal.any([answered.signal, closing])).then(() => {
    late.abort();
    throw new SkepError("deadline_exceeded", "NO_ANSWER", `No scheduler answered within ${mostMs} ms.`);
  });
  try {
    return await Promise.race([call(signal), silence]);
  } finally {
    answered.abort();
    silence.catch(() => undefined);
  }
}
