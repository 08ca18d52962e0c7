import type { Action } from "@skep/core/rules/rule.ts";
import type { Effect } from "@skep/core/rules/evaluate.ts";
import type { Message } from "../message.ts";
import type { Processed } from "../parts.ts";

/** What carries out each kind of action; each rejects with an error that tells no secret. */
export interface Actions {
  store(collection: string, message: Message, effect: Effect): Promise<void>;
  event(topic: string, message: Message, effect: Effect): Promise<void>;
  command(deviceId: string, type: string, payload: Readonly<Record<string, unknown>>): Promise<void>;
  webhook(target: string, message: Message, effect: Effect): Promise<void>;
}

/** Carries out what rules say is to be done. */
export interface Acting {
  /** Never rejects: what fails is counted, and the last of it kept. */
  act(effects: Processed["effects"]): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  counts(): Readonly<Record<string, number>>;
  lastError(): string;
}

/** So much is done at once; what comes beyond is dropped, and counted as such. */
const MOST_AT_ONCE = 1_000;

/** Makes it. */
export function createActing(actions: Actions): Acting {
  const counts = { acted: 0, actionsFailed: 0, actionsDropped: 0 };
  const underWay = new Set<Promise<void>>();
  let lastError = "";

  async function one({ message, effect }: Processed["effects"][number]): Promise<void> {
    try {
      await carryOut(actions, effect.action, message, effect);
      counts.acted += 1;
    } catch (error) {
      counts.actionsFailed += 1;
      const because = error instanceof Error ? error.message : String(error);
      lastError = `rule ${effect.ruleId} (${effect.action.kind}): ${because}`;
    }
  }

  return {
    act: async effects => {
      const begun: Promise<void>[] = [];
      for (const effect of effects) {
        if (underWay.size >= MOST_AT_ONCE) {
          counts.actionsDropped += 1;
          lastError = `rule ${effect.effect.ruleId}: ${MOST_AT_ONCE} actions are under way already`;
          continue;
        }
        const doing = one(effect).finally(() => underWay.delete(doing));
        underWay.add(doing);
        begun.push(doing);
      }
      await Promise.all(begun);
    },
    idle: async () => {
      await Promise.all(underWay);
    },
    counts: () => ({ ...counts, actionsUnderWay: underWay.size }),
    lastError: () => lastError,
  };
}

function carryOut(actions: Actions, action: Action, message: Message, effect: Effect): Promise<void> {
  switch (action.kind) {
    case "store":
      return actions.store(action.collection, message, effect);
    case "event":
      return actions.event(action.topic, message, effect);
    case "command":
      return actions.command(action.deviceId ?? message.topic.deviceId, action.type, action.payload);
    case "webhook":
      return actions.webhook(action.target, message, effect);
  }
}
