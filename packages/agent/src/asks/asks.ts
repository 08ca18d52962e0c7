import { decodeAsk, type Ask, type NodeChange } from "@skep/api/codec/ask.ts";
import { encodeAskReply, type AskReply } from "@skep/api/codec/ask-reply.ts";
import type { HeldState } from "@skep/api/codec/held.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { SkepError } from "@skep/core/error.ts";
import type { ObservedContainer } from "@skep/core/model/observed.ts";
import type { Bus, BusMessage, BusSubscription } from "@skep/kit/bus.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Engine, SwarmNodeUpdate } from "../engine/engine.ts";
import { toSkepError } from "./ask-failure.ts";
import { createHeldAnswers } from "./held-parts.ts";
import type { ExecStreams } from "./exec-streams.ts";
import type { LogStreams } from "./log-streams.ts";
import type { Prober } from "../loop/prober.ts";

/** What the answers are made from. */
export interface AskDeps {
  readonly bus: Bus;
  readonly log: Log;
  readonly engine: Engine;
  readonly nodeId: string;
  readonly prober: Prober;
  readonly logStreams: LogStreams;
  readonly execStreams: ExecStreams;
  /** The containers as last seen. */
  readonly containers: () => readonly ObservedContainer[];
  readonly reportInFull: () => void;
  readonly held: () => HeldState;
}

type Answer = AskReply | undefined;
/**
 * One answer per kind of question: a kind without one does not compile. `undefined` answers by
 * itself, later.
 */
type Answers = {
  readonly [K in Ask["kind"]]: (ask: Extract<Ask, { kind: K }>, message: BusMessage) => Promise<Answer>;
};

/** A peer is probed for its life, not its speed: what takes longer than this counts as silence. */
const LONGEST_PROBE_MS = 5_000;

/** Answers the questions that schedulers put to this node, until closed. */
export function answerAsks(deps: AskDeps): BusSubscription {
  const answers = createAnswers(deps);
  return deps.bus.subscribe(nodeSubject("ask", deps.nodeId), message => void answer(message));

  async function answer(message: BusMessage): Promise<void> {
    let reply: Answer;
    try {
      const ask = decodeAsk(message.data);
      // The table has one entry per kind, which the compiler cannot follow through the lookup.
      const run = answers[ask.kind] as (ask: Ask, message: BusMessage) => Promise<Answer>;
      reply = await run(ask, message);
    } catch (error) {
      deps.log.debug("ask.refused", "A question could not be answered.", { error });
      reply = { kind: "error", error: toSkepError(error) };
    }
    if (reply !== undefined) message.reply(encodeAskReply(reply));
  }
}

function createAnswers(deps: AskDeps): Answers {
  const { engine, prober, logStreams, execStreams } = deps;
  const answerHeld = createHeldAnswers(deps.held, () => deps.bus.maxPayload());
  return {
    report: async () => {
      deps.reportInFull();
      return { kind: "done" };
    },
    held: async ask => answerHeld(ask.rest),
    probe: async ask => {
      const target = { kind: "http", host: ask.address, port: ask.port, path: "/livez" } as const;
      const outcome = await prober(target, Math.min(ask.timeoutMs, LONGEST_PROBE_MS));
      // A page that says "not well" is still a sign of life: its containers run.
      return { kind: "probe", answered: outcome.answered, detail: outcome.detail };
    },
    logs: async (ask, message) => {
      logStreams.begin(ask, replySubject(message), deps.containers());
      return undefined;
    },
    "logs-control": async ask => {
      logStreams.control(ask.streamId, ask.stop);
      return { kind: "done" };
    },
    node: async ask => {
      await engine.updateSwarmNode(toUpdate(ask.nodeId, ask.change));
      const node = (await engine.swarmNodes())?.find(one => one.nodeId === ask.nodeId);
      return node === undefined ? { kind: "done" } : { kind: "node", node };
    },
    exec: async (ask, message) => {
      execStreams.begin(ask, replySubject(message), deps.containers());
      return undefined;
    },
    "exec-input": async ask => {
      execStreams.input(ask.streamId, ask.offset, ask.data);
      return { kind: "done" };
    },
    "exec-control": async ask => {
      execStreams.control(ask.streamId, ask.stop, ask.taken);
      return { kind: "done" };
    },
  };
}

function replySubject({ replyTo }: BusMessage): string {
  if (replyTo !== undefined) return replyTo;
  const advice = "A stream needs a subject to go to: send the question as a request.";
  throw new SkepError("invalid_argument", "NO_REPLY_SUBJECT", advice);
}

function toUpdate(nodeId: string, change: NodeChange): SwarmNodeUpdate {
  switch (change.action) {
    case "label":
      return { nodeId, availability: undefined, addLabels: change.set, removeLabels: change.remove };
    case "drain":
      return { nodeId, availability: "drain", addLabels: {}, removeLabels: [] };
    case "pause":
      return { nodeId, availability: "pause", addLabels: {}, removeLabels: [] };
    case "activate":
      return { nodeId, availability: "active", addLabels: {}, removeLabels: [] };
  }
}
