import { parseOffset, type Offset } from "@skep/core/workspace/offset.ts";
import type { LogEntry } from "./event-log.ts";
import type { SharedEvents } from "./sharing.ts";

/** One item of a Redis stream: its id, and names and values in turns. */
export type Item = readonly [Buffer, readonly Buffer[]];

/** The field of an item that is no event and only says where a stream begins. */
export const MARKER = "begin";

/** The field of an item that says that events are missing before it. */
export const HOLE = "hole";

const TOPIC = "t";
const PACKET = "p";
const PART = "b";

/** An event as fields: sockets of every replica get the same bytes, so it is not encoded again. */
export function fieldsOf({ topic, packet, parts }: LogEntry): readonly (string | Buffer)[] {
  return [TOPIC, topic, PACKET, packet, ...parts.flatMap(part => [PART, part])];
}

/** The id of an item. */
export function idOf([id]: Item): Offset {
  const offset = parseOffset(id.toString());
  if (offset === undefined) throw new Error(`An item of a stream has the id ${id.toString().slice(0, 40)}.`);
  return offset;
}

/** The events among the items; what is none is left out. */
export function entriesOf(items: readonly Item[]): readonly LogEntry[] {
  return items.flatMap(item => {
    const entry = entryOf(item);
    return entry === undefined ? [] : [entry];
  });
}

function entryOf(item: Item): LogEntry | undefined {
  const [, fields] = item;
  if (fields[0]?.toString() !== TOPIC || fields[2]?.toString() !== PACKET) return undefined;
  const topic = (fields[1] ?? "").toString();
  const packet = (fields[3] ?? "").toString();
  const parts = fields.slice(4).filter((_, index) => index % 2 === 1);
  const bytes = parts.reduce((sum, part) => sum + part.length, packet.length + topic.length);
  return { offset: idOf(item), topic, packet, parts, bytes };
}

/** Tells what the items say, in their order. */
export function hear(events: Pick<SharedEvents, "heard" | "missed">, items: readonly Item[]): void {
  for (const item of items) {
    if (item[1][0]?.toString() === HOLE) events.missed(idOf(item));
    else events.heard(entriesOf([item]));
  }
}

/** Whether Redis refused an item because it has a later one. */
export function isTooOld(error: Error): boolean {
  return error.message.includes("equal or smaller");
}
