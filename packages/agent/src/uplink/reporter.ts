import type { Applied } from "./applied.ts";
import type { Usage } from "@skep/core/model/report.ts";
import { decodeReportAck, endsFull, type AgentFacts, type Report, type Stranger } from "@skep/api/codec/report.ts";
import { splitReport } from "@skep/api/codec/report-parts.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { Random } from "@skep/kit/random.ts";
import { retryDelay } from "@skep/kit/retry.ts";
import type { Wake } from "@skep/kit/wake.ts";
import type { Picture } from "../loop/picture.ts";

/** What a reporter is made from; `facts` is asked for each full report. */
export interface ReporterDeps {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly loops: Loops;
  readonly nodeId: string;
  readonly sessionId: string;
  readonly facts: () => AgentFacts;
  /** What the agent works by. */
  readonly applied: () => Applied;
}

/** Changes that come together go together; with the loop's own gap this stays well below 100 ms. */
const GAP_MS = 30;
const ACK_TIMEOUT_MS = 2_000;
const BACKOFF = { baseMs: 200, maxMs: 5_000 };
/** Between two reports of an agent whose session is refused: asking faster changes nothing. */
const REFUSED_MS = 5_000;
/** After so many tries of one report everything is said anew: by then much of it is old. */
const TRIES = 3;

interface Pending {
  /** The messages that have not landed yet; they go one after the other. */
  readonly parts: { readonly report: Report; readonly bytes: Uint8Array }[];
  /** What the scheduler has once all have landed. */
  readonly said: ReadonlyMap<string, string>;
  tries: number;
}

/**
 * Brings pictures to the scheduler: only what changed, repeated until it has landed, and of each
 * thing the newest.
 */
export class Reporter {
  readonly #deps: ReporterDeps;
  readonly #wake: Wake;
  #picture: Picture | undefined;
  #usage: readonly Usage[] = [];
  /** What the scheduler is known to know: one text per thing said. */
  #known: ReadonlyMap<string, string> = new Map();
  #wantsAll = true;
  #hasLanded = false;
  /**
   * Grows when everything is to be said anew: answers to what was sent before that mean nothing any
   * more.
   */
  #generation = 0;
  #refused = "";
  #seq = 0;
  #ackedSeq = 0;
  #pending: Pending | undefined;

  /** Says nothing before the first picture. */
  constructor(deps: ReporterDeps) {
    this.#deps = deps;
    this.#wake = deps.loops.begin("report", () => this.#send(), { minGapMs: GAP_MS });
  }

  /** Takes the newest picture; what changed goes out at once. */
  show(picture: Picture): void {
    this.#picture = picture;
    this.#wake.hint();
  }

  /** Adds what instances use to the next report. */
  addUsage(usage: readonly Usage[]): void {
    this.#usage = usage;
    this.#wake.hint();
  }

  /** Says everything anew, because somebody asked or the node is another one now. */
  sayAll(): void {
    this.#wantAll();
    this.#wake.hint();
  }

  /**
   * Says everything anew at the begin of a session or after the connection was away: until it has
   * landed nothing else counts.
   */
  beginAnew(): void {
    this.#hasLanded = false;
    this.sayAll();
  }

  /**
   * Whether a full report has landed since the last `beginAnew`: only then may the agent call
   * itself ready. Reports that fail later do not change that, since a scheduler that cannot write
   * is no reason to seem dead.
   */
  hasLanded(): boolean {
    return this.#hasLanded;
  }

  /** Seq of the last acknowledged report; 0 for none. */
  lastSeq(): number {
    return this.#ackedSeq;
  }

  /** Resolves when a report that is on its way has ended. */
  close(): Promise<void> {
    return this.#wake.close();
  }

  async #send(): Promise<void> {
    const { bus, clock, random, log, nodeId } = this.#deps;
    if (this.#picture === undefined || !bus.connected()) return;
    const pending = (this.#pending ??= this.#prepare(this.#picture));
    if (pending === undefined) return;
    const began = this.#generation;
    pending.tries++;
    const { report, bytes } = pending.parts[0]!;
    try {
      const subject = nodeSubject("report", nodeId);
      const ack = decodeReportAck(await bus.request(subject, bytes, { timeoutMs: ACK_TIMEOUT_MS }));
      // Before the last part of a full report has landed, everything is needed still.
      const isWell = ack.accepted && (!ack.needFull || (report.full && !endsFull(report)));
      this.#hearRefusal(ack.because);
      if (began === this.#generation) this.#settle(pending, report, isWell);
    } catch (error) {
      if (began !== this.#generation) return;
      const { seq } = report;
      log.debug("report.unanswered", "A report was not acknowledged; it is sent again.", { error, seq });
      if (pending.tries >= TRIES) this.#wantAll();
      this.#wake.at(clock.now() + retryDelay(pending.tries, random, BACKOFF));
    }
  }

  /** Says once why nothing of this session counts, and once that it counts again. */
  #hearRefusal(because: string): void {
    if (because === this.#refused) return;
    this.#refused = because;
    const { log, nodeId, sessionId } = this.#deps;
    if (because === "") return log.info("session.accepted", "The schedulers take this agent's reports again.");
    log.error("session.refused", "The schedulers take nothing of what this agent says.", {
      because,
      nodeId,
      sessionId,
    });
  }

  #prepare(picture: Picture): Pending | undefined {
    const { nodeId, sessionId, facts, applied } = this.#deps;
    const full = this.#wantsAll;
    const said = textsOf(picture);
    const isNews = (key: string): boolean => full || this.#known.get(key) !== said.get(key);
    const statuses = picture.statuses.filter(one => isNews(statusKey(one)));
    const gone = picture.gone.filter(one => isNews(goneKey(one)));
    const strangers = picture.strangers.filter(one => isNews(strangerKey(one)));
    const volumes = isNews(VOLUMES) ? picture.volumes : undefined;
    const usage = this.#usage;
    const news = statuses.length + gone.length + strangers.length + usage.length + (volumes === undefined ? 0 : 1);
    if (!full && news === 0) return undefined;
    this.#usage = [];
    const report = {
      nodeId,
      sessionId,
      full,
      ...applied(),
      facts: full ? facts() : undefined,
      statuses,
      gone,
      strangers,
      usage,
      volumes,
    };
    const parts = splitReport(report, this.#deps.bus.maxPayload(), () => ++this.#seq);
    return { parts: [...parts], said, tries: 0 };
  }

  #settle(sent: Pending, landed: Report, accepted: boolean): void {
    if (accepted) {
      sent.parts.shift();
      sent.tries = 0;
      this.#ackedSeq = landed.seq;
      if (sent.parts.length > 0) return this.#wake.hint();
    }
    this.#pending = undefined;
    if (!accepted) {
      this.#wantAll();
      const delayMs = this.#refused === "" ? retryDelay(1, this.#deps.random, BACKOFF) : REFUSED_MS;
      this.#wake.at(this.#deps.clock.now() + delayMs);
      return;
    }
    this.#known = sent.said;
    if (landed.full) {
      this.#wantsAll = false;
      this.#hasLanded = true;
    }
    // What was shown while this report was on its way.
    this.#wake.hint();
  }

  #wantAll(): void {
    this.#generation++;
    this.#wantsAll = true;
    this.#pending = undefined;
  }
}

type Named = { readonly instanceId: string; readonly epoch: number };
const statusKey = (one: Named): string => `status ${one.instanceId}@${one.epoch}`;
const goneKey = (one: Named): string => `gone ${one.instanceId}@${one.epoch}`;
const strangerKey = (one: Stranger): string => `stranger ${one.status.instanceId}@${one.status.epoch}`;

/** The volumes are sent as one list, which is complete. */
const VOLUMES = "volumes";

/** By picture: each is compared again when what was sent of it has landed. */
const texts = new WeakMap<Picture, ReadonlyMap<string, string>>();

function textsOf(picture: Picture): ReadonlyMap<string, string> {
  const known = texts.get(picture);
  if (known !== undefined) return known;
  const made = new Map([
    ...picture.statuses.map(one => [statusKey(one), JSON.stringify(one)] as const),
    ...picture.gone.map(one => [goneKey(one), ""] as const),
    ...picture.strangers.map(one => [strangerKey(one), JSON.stringify(one)] as const),
    [VOLUMES, JSON.stringify(picture.volumes)],
  ]);
  texts.set(picture, made);
  return made;
}
