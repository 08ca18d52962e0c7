import { evaluate, evaluateSilence, forgetRules, silentAt, type Effect } from "@skep/core/rules/evaluate.ts";
import type { RuleSet } from "@skep/core/rules/rule-set.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { DeadLetter, Message, MessageDocument, WorkspaceEvent } from "../message.ts";
import type { PartHealth, Processed, Rules } from "../parts.ts";
import { createActing, type Actions } from "./acting.ts";
import { createDevices } from "./devices.ts";
import { typeMessage } from "./typing.ts";
import type { WebhookTarget } from "./webhook-posting.ts";
import type { Webhooks } from "./webhook.ts";

/** The rules of one workspace, which can be given others at any time. */
export interface RulesRuntime extends Rules {
  set(next: RuleSet): void;
  /** From now on webhooks go to these, by the names that rules say. */
  setWebhooks(targets: ReadonlyMap<string, WebhookTarget>): void;
}

/** What the rules of a workspace work with. */
export interface RulesOptions {
  readonly workspaceId: WorkspaceId;
  readonly clock: Clock;
  readonly actions: Actions;
  /**
   * Carry out webhooks in the place of `actions`. They end first as the rules end: those that are
   * tried again would take a minute.
   */
  readonly webhooks?: Webhooks;
  /** Devices of which something is remembered at once. */
  readonly mostDevices: number;
  /** Whether this process owns the workspace still: silence means nothing to another. */
  readonly mayRead: () => boolean;
}

/**
 * The category of what devices are told. It is stored, and no rule sees it: one that commands would
 * go on for ever.
 */
const COMMANDS = "commands";
/** How often it is asked whose silence means something. */
const SILENCE_MS = 1_000;

/** Types and judges messages by the pure functions of core; what they remember is kept here. */
export function createRules(options: RulesOptions, first: RuleSet): RulesRuntime {
  const { workspaceId, clock, webhooks } = options;
  const devices = createDevices(options.mostDevices);
  const acting = createActing(withWebhooks(options.actions, webhooks));
  const counts = { typed: 0, untyped: 0, dead: 0, effects: 0, silences: 0 };
  let current = first;
  let [lastError, isClosed] = ["", false];

  function judge(message: Message, now: number): Judged {
    const typed = typeMessage(message, current.schemas);
    if ("letter" in typed) {
      counts.dead += 1;
      lastError = typed.letter.because;
      return { letter: typed.letter };
    }
    counts[typed.document.schema === undefined ? "untyped" : "typed"] += 1;
    const { deviceId, category, type } = message.topic;
    if (category === COMMANDS) return { document: typed.document, effects: [] };
    const { fields, at } = typed;
    const event = { fields, at, deviceId, category, type };
    const { effects, memory } = evaluate(current.rules, event, devices.memoryOf(deviceId), now);
    devices.remember(deviceId, memory, silentAt(current.rules, memory));
    counts.effects += effects.length;
    return { document: typed.document, effects };
  }

  /** Silence is nobody's message, and leads to effects all the same. */
  function listen(): void {
    if (!options.mayRead()) return;
    const now = clock.now();
    for (const deviceId of devices.silentBy(now)) {
      const { effects, memory } = evaluateSilence(current.rules, devices.memoryOf(deviceId), now);
      const next = silentAt(current.rules, memory);
      devices.remember(deviceId, memory, next === undefined || next <= now ? undefined : next);
      counts.silences += 1;
      const message = silenceOf(workspaceId, deviceId, now);
      void acting.act(effects.map(effect => ({ message, effect })));
    }
  }

  const stop = eachSecond(clock, listen);
  return {
    process: (messages, now) => processAll(messages, message => judge(message, now)),
    act: effects => acting.act(effects),
    set: next => {
      current = next;
      devices.revise(memory => forgetRules(memory, next.rules));
    },
    setWebhooks: targets => webhooks?.set(targets),
    health: (): PartHealth => ({
      isConnected: !isClosed,
      lastError: lastError === "" ? acting.lastError() : lastError,
    }),
    counts: () => ({
      ...counts,
      ...acting.counts(),
      ...webhooks?.counts(),
      devices: devices.size(),
      forgotten: devices.forgotten(),
    }),
    close: async () => {
      isClosed = true;
      stop();
      devices.clear();
      await webhooks?.close();
      await acting.idle();
    },
  };
}

/** Answers how to end it. */
function eachSecond(clock: Clock, run: () => void): () => void {
  let stop = clock.timer(SILENCE_MS, tick);
  function tick(): void {
    stop = clock.timer(SILENCE_MS, tick);
    run();
  }
  return () => stop();
}

function withWebhooks(actions: Actions, webhooks: Webhooks | undefined): Actions {
  if (webhooks === undefined) return actions;
  return { ...actions, webhook: (target, message, effect) => webhooks.send(target, message, effect) };
}

type Judged =
  { readonly letter: DeadLetter } | { readonly document: MessageDocument; readonly effects: readonly Effect[] };

function processAll(messages: readonly Message[], judge: (message: Message) => Judged): Processed {
  const documents: MessageDocument[] = [];
  const dead: DeadLetter[] = [];
  const effects: { message: Message; effect: Effect }[] = [];
  const events: WorkspaceEvent[] = [];
  for (const message of messages) {
    const judged = judge(message);
    if ("letter" in judged) {
      dead.push(judged.letter);
      continue;
    }
    const { document } = judged;
    documents.push(document);
    for (const effect of judged.effects) effects.push({ message, effect });
    events.push({ topic: eventTopic(message), data: document.value, at: document.at.getTime() });
  }
  return { documents, dead, effects, events };
}

/** The topic of a message below its workspace. */
function eventTopic({ topic: { deviceId, category, type } }: Message): string {
  const base = `devices/${deviceId}/${category}`;
  return type === "" ? base : `${base}/${type}`;
}

function silenceOf(workspaceId: WorkspaceId, deviceId: string, now: number): Message {
  const topic = { workspaceId, deviceId, category: "status", type: "silent" };
  return { key: `silence.${deviceId}.${now}`, topic, payload: new Uint8Array(), receivedAt: now };
}
