import { stampOf } from "@skep/core/identity/assignment-line.ts";
import type { ReportedStatus } from "@skep/core/model/report.ts";
import { encodeAskReply } from "@skep/api/codec/ask-reply.ts";
import { decodeAsk } from "@skep/api/codec/ask.ts";
import { decodeAssignment, decodeFetchReply, encodeFetch } from "@skep/api/codec/assignment.ts";
import { encodeBeat } from "@skep/api/codec/beat.ts";
import { decodeReportAck, encodeReport, type Report, type Stranger } from "@skep/api/codec/report.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { digestText, isDigested } from "@skep/core/converge/digest.ts";
import { takeAssignment } from "@skep/core/identity/intake.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createHash } from "node:crypto";
import { someFacts } from "../store/testing/records.ts";

/**
 * An agent for the scheduler's tests: it follows the real protocol and carries out assignments at
 * once, on an engine that is a map. Containers that appear in `strangers` by a test's hand are
 * reported like real ones.
 */
export class FakeAgent {
  readonly nodeId: string;
  readonly running = new Map<string, ReportedStatus>();
  readonly strangers = new Map<string, Stranger>();
  assignment: Assignment | undefined;
  /** The version of the protocol that its beats say; `undefined` for this program's. */
  protocol: number | undefined;
  /** Why it refused the last assignment that arrived. */
  refused = "";
  /** Whether it beats; otherwise it repeats its full report, as one that got no answer does. */
  beating = true;
  /** Answers of this agent when it is asked whether it reaches a peer. */
  reaches = true;
  readonly assigned: Assignment[] = [];
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #sessionId: string;
  #gone: { instanceId: string; epoch: number }[] = [];
  #seq = 0;
  #beats = 0;
  #alive = true;

  constructor(nodeId: string, bus: Bus, clock: Clock, sessionId = "session-1") {
    [this.nodeId, this.#bus, this.#clock, this.#sessionId] = [nodeId, bus, clock, sessionId];
    bus.subscribe(nodeSubject("assign", nodeId), message => {
      if (this.#alive) this.#take(decodeAssignment(message.data).assignment);
    });
    bus.subscribe(nodeSubject("ask", nodeId), message => {
      if (!this.#alive) return;
      const ask = decodeAsk(message.data);
      if (ask.kind === "probe") message.reply(encodeAskReply({ kind: "probe", answered: this.reaches, detail: "" }));
      else message.reply(encodeAskReply({ kind: "done" }));
      if (ask.kind === "report") void this.report(true);
    });
  }

  /** Begins: says everything, asks what to run, and beats each second. */
  async start(): Promise<void> {
    await this.report(true);
    await this.fetch();
    const beat = (): void => {
      if (!this.#alive) return;
      if (this.beating) this.beat();
      else void this.report(true);
      this.#clock.timer(1_000, beat);
    };
    beat();
  }

  /** Falls silent for good; what runs, runs on. */
  stop(): void {
    this.#alive = false;
  }

  beat(): void {
    const seen = [...this.running.values(), ...[...this.strangers.values()].map(one => one.status)].filter(isDigested);
    const hash = (text: string): bigint => BigInt(`0x${createHash("md5").update(text).digest("hex").slice(0, 16)}`);
    const beat = encodeBeat({
      ...{ nodeId: this.nodeId, bootId: "boot-1", sessionId: this.#sessionId, seq: ++this.#beats },
      ...this.#mark(),
      refused: this.refused,
      ...{ reportSeq: this.#seq, instances: seen.length, load: undefined, leaving: false, at: this.#clock.now() },
      digest: seen.reduce((sum, one) => sum ^ hash(digestText(one)), 0n),
    });
    // The last one of a field that stands twice counts; 0x08 is the tag of `version`.
    const version = this.protocol === undefined ? [] : [0x08, this.protocol];
    this.#bus.publish(nodeSubject("beat", this.nodeId), Uint8Array.from([...beat, ...version]));
  }

  /** Repeats until it is acknowledged, as the real one does. */
  async report(full: boolean): Promise<void> {
    const report: Report = {
      ...{ nodeId: this.nodeId, sessionId: this.#sessionId, seq: ++this.#seq, full, volumes: undefined, usage: [] },
      ...this.#mark(),
      facts: full
        ? { ...someFacts({ nodeId: this.nodeId, sessionId: this.#sessionId }), agentVersion: "1" }
        : undefined,
      ...{ statuses: [...this.running.values()], gone: this.#gone, strangers: [...this.strangers.values()] },
    };
    for (let attempt = 0; attempt < 60 && this.#alive; attempt++) {
      try {
        const answer = await this.#bus.request(nodeSubject("report", this.nodeId), encodeReport(report), {
          timeoutMs: 1_000,
        });
        const ack = decodeReportAck(answer);
        if (ack.needFull && !full) await this.report(true);
        return;
      } catch {
        await this.#clock.sleep(500);
      }
    }
  }

  #mark() {
    const { incarnation = "", term = 0, revision = 0, stamps = [], receipt } = this.assignment ?? {};
    const { stamp } = stampOf({ stamps });
    return {
      ...{ incarnation, appliedTerm: term, appliedRevision: revision },
      ...(stamp === undefined ? {} : { appliedStamp: stamp }),
      ...(receipt === undefined ? {} : { receipt }),
    };
  }

  async fetch(): Promise<void> {
    const { incarnation = "", term = 0, revision = 0, stamps = [] } = this.assignment ?? {};
    const mark = { incarnation, term, revision, ...stampOf({ stamps }) };
    const question = encodeFetch({ nodeId: this.nodeId, sessionId: this.#sessionId, ...mark });
    try {
      const answer = await this.#bus.request(nodeSubject("fetch", this.nodeId), question, { timeoutMs: 1_000 });
      const reply = decodeFetchReply(answer);
      if (reply !== undefined) this.#take(reply.assignment);
    } catch {
      // An assignment comes by itself, too.
    }
  }

  #take(next: Assignment): void {
    const taken = takeAssignment({ assignment: this.assignment, epochs: {} }, next, this.nodeId);
    this.refused = taken.kind === "refused" ? taken.because : "";
    if (taken.kind !== "accepted") return;
    this.assignment = next;
    this.assigned.push(next);
    for (const { instanceId, epoch, desired, ports } of next.instances) {
      const key = `${instanceId} ${epoch}`;
      this.strangers.delete(key);
      if (desired === "run") {
        const containers = [
          { name: "app", id: `c-${key}`, imageId: "i", running: true, exitCode: undefined, restarts: 0 },
        ];
        this.running.set(key, { instanceId, epoch, state: "running", health: "none", containers, ports, message: "" });
      } else this.#end(instanceId, epoch);
    }
    for (const { instanceId, epoch } of next.removals) this.#end(instanceId, epoch);
    // What is running and no longer named was not told to end: the real one calls it a stranger.
    const named = new Set(next.instances.map(one => `${one.instanceId} ${one.epoch}`));
    for (const [key, status] of this.running) {
      if (named.has(key)) continue;
      this.running.delete(key);
      this.strangers.set(key, { status, tenantId: "acme", deploymentId: "acme.web", release: 1 });
    }
    void this.report(false);
  }

  #end(instanceId: string, epoch: number): void {
    this.running.delete(`${instanceId} ${epoch}`);
    this.strangers.delete(`${instanceId} ${epoch}`);
    if (!this.#gone.some(one => one.instanceId === instanceId && one.epoch === epoch))
      this.#gone.push({ instanceId, epoch });
  }
}
