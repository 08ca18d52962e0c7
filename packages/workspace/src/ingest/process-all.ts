import { topicOf } from "@skep/core/workspace/topic.ts";
import type { DeadLetter, Message } from "../message.ts";
import type { Processed, Rules } from "../parts.ts";

/**
 * Has a batch typed and judged. Where that throws, each message is judged alone, and the one that
 * it throws at becomes a dead letter: tried again it would throw again, and hold up all others.
 * What the rules remember may count messages before it twice then.
 */
export function processAll(rules: Pick<Rules, "process">, messages: readonly Message[], now: number): Processed {
  try {
    return rules.process(messages, now);
  } catch {
    const all = messages.map(message => processOne(rules, message, now));
    return {
      documents: all.flatMap(one => one.documents),
      dead: all.flatMap(one => one.dead),
      effects: all.flatMap(one => one.effects),
      events: all.flatMap(one => one.events),
    };
  }
}

function processOne(rules: Pick<Rules, "process">, message: Message, now: number): Processed {
  try {
    return rules.process([message], now);
  } catch (error) {
    return { documents: [], dead: [letterOf(message, error)], effects: [], events: [] };
  }
}

function letterOf({ key, topic, payload, receivedAt }: Message, error: unknown): DeadLetter {
  const because = `the rules failed at it: ${error instanceof Error ? error.message : String(error)}`;
  return { _id: key, topic: topicOf(topic), payload, receivedAt: new Date(receivedAt), because };
}
