import { parseTopic, type DeviceTopic } from "@skep/core/workspace/topic.ts";

/** Takes topics apart; those of a fleet come again and again. */
export type TopicReader = (topic: string) => DeviceTopic | undefined;

/** So many are remembered at most: a device may invent a new one with each message. */
const MOST_KNOWN = 5_000;

/** Makes one that remembers the topics of devices, and none that is no topic of a device. */
export function createTopicReader(): TopicReader {
  const known = new Map<string, DeviceTopic>();
  return topic => {
    const found = known.get(topic);
    if (found !== undefined) return found;
    const parsed = parseTopic(topic);
    if (parsed === undefined) return undefined;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(topic, parsed);
    return parsed;
  };
}
