import {
  decodeReportAck,
  encodeReport,
  type InstanceUsage,
  type NodeFacts,
  type Report,
  type Stranger,
} from "@skep/api/codec/report.ts";
import type { ReportedStatus } from "@skep/api/codec/instance.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay } from "@skep/kit/retry.ts";
import { createWake } from "@skep/kit/wake.ts";

/** All that the agent has to say at one moment; each picture replaces the one before. */
export interface Picture {
  readonly statuses: readonly ReportedStatus[];
  readonly gone: readonly { readonly instanceId: string; readonly epoch: number }[];
  readonly strangers: readonly Stranger[];
}

/** Brings pictures to the scheduler: only what changed, as often as it takes, newest first to land. */
export interface Reporter {
  show(picture: Picture): void;
  /** Adds what instances use to the next report. */
  addUsage(usage: readonly InstanceUsage[]): void;
  /** Says everything anew: a session began, the connection came back, or somebody asked. */
  sayAll(): void;
  /** Whether a full report has landed since the last `sayAll`: only then may the agent call itself ready. */
  landed(): boolean;
  /** Seq of the last acknowledged report; 0 for none. */
  lastSeq(): number;
  close(): Promise<void>;
}

/** Changes that come together go together; with the wake's own gap this stays well below 100 ms. */
const GAP_MS = 30;
const ACK_TIMEOUT_MS = 2_000;
const BACKOFF = { baseMs: 200, maxMs: 5_000 };
/** After so many tries of one report everything is said anew: by then much of it is old. */
const TRIES = 3;

interface Pending {
  readonly report: Report;
  readonly bytes: Uint8Array;
  readonly said: ReadonlyMap<string, string>;
  tries: number;
}

/** Makes a reporter; `facts` is asked for each full report. It says nothing before the first picture. */
export function createReporter(deps: {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly facts: () => NodeFacts;
}): Reporter {
  const { bus, clock, random, log, nodeId, sessionId } = deps;
  let picture: Picture | undefined;
  let usage: readonly InstanceUsage[] = [];
  /** What the scheduler is known to know: one text per thing said. */
  let known: ReadonlyMap<string, string> = new Map();
  let wantsAll = true;
  let generation = 0;
  let seq = 0;
  let ackedSeq = 0;
  let pending: Pending | undefined;

  function prepare(shown: Picture): Pending | undefined {
    const said = textsOf(shown);
    const isNews = (key: string): boolean => wantsAll || known.get(key) !== said.get(key);
    const report: Report = {
      ...{ nodeId, sessionId, seq: seq + 1, full: wantsAll, facts: wantsAll ? deps.facts() : undefined, usage },
      statuses: shown.statuses.filter(one => isNews(statusKey(one))),
      gone: shown.gone.filter(one => isNews(goneKey(one))),
      strangers: shown.strangers.filter(one => isNews(strangerKey(one))),
    };
    if (!report.full && report.statuses.length + report.gone.length + report.strangers.length + usage.length === 0)
      return undefined;
    seq++;
    usage = [];
    return { report, bytes: encodeReport(report), said, tries: 0 };
  }

  async function send(): Promise<void> {
    if (picture === undefined || !bus.connected()) return;
    pending ??= prepare(picture);
    if (pending === undefined) return;
    const sending = pending;
    const began = generation;
    sending.tries++;
    try {
      const ack = decodeReportAck(
        await bus.request(nodeSubject("report", nodeId), sending.bytes, { timeoutMs: ACK_TIMEOUT_MS }),
      );
      if (began === generation) settle(sending, ack.accepted && !ack.needFull);
    } catch (error) {
      if (began !== generation) return;
      log.debug("report.unanswered", "A report was not acknowledged; it is sent again.", {
        error,
        seq: sending.report.seq,
      });
      if (sending.tries >= TRIES) wantAll();
      wake.at(clock.now() + retryDelay(sending.tries, random, BACKOFF));
    }
  }

  function settle(sent: Pending, accepted: boolean): void {
    pending = undefined;
    if (!accepted) {
      wantAll();
      wake.at(clock.now() + retryDelay(1, random, BACKOFF));
      return;
    }
    known = sent.said;
    ackedSeq = sent.report.seq;
    if (sent.report.full) wantsAll = false;
    // What was shown while this report was on its way.
    wake.hint();
  }

  function wantAll(): void {
    generation++;
    wantsAll = true;
    pending = undefined;
  }

  const wake = createWake(send, { minGapMs: GAP_MS }, clock, error => {
    log.error("report.failed", "A report could not be made.", { error });
  });
  return {
    show: next => {
      picture = next;
      wake.hint();
    },
    addUsage: next => {
      usage = next;
      wake.hint();
    },
    sayAll: () => {
      wantAll();
      wake.hint();
    },
    landed: () => !wantsAll,
    lastSeq: () => ackedSeq,
    close: () => wake.close(),
  };
}

type Named = { readonly instanceId: string; readonly epoch: number };
const statusKey = (one: Named): string => `status ${one.instanceId}@${one.epoch}`;
const goneKey = (one: Named): string => `gone ${one.instanceId}@${one.epoch}`;
const strangerKey = (one: Stranger): string => `stranger ${one.status.instanceId}@${one.status.epoch}`;

function textsOf(picture: Picture): ReadonlyMap<string, string> {
  return new Map([
    ...picture.statuses.map(one => [statusKey(one), JSON.stringify(one)] as const),
    ...picture.gone.map(one => [goneKey(one), ""] as const),
    ...picture.strangers.map(one => [strangerKey(one), JSON.stringify(one)] as const),
  ]);
}
