import { parseOffset, type Offset } from "@skep/core/workspace/offset.ts";
import type { LogEntry } from "./event-log.ts";

/** One item of a Redis stream: its id, and names and values in turns. */
export type Item = readonly [Buffer, readonly Buffer[]];

/** The field of an item that is no event and only says where a stream begins. */
export const MARKER = "begin";

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
