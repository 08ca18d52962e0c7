import { chooseSchema } from "@skep/core/rules/choose-schema.ts";
import type { Schema } from "@skep/core/rules/schema.ts";
import { typeFields } from "@skep/core/rules/typed.ts";
import type { Fields } from "@skep/core/rules/value.ts";
import { topicOf } from "@skep/core/workspace/topic.ts";
import type { DeadLetter, Message, MessageDocument } from "../message.ts";
import { asItCame, decode } from "./decode.ts";

/** A message as its schema types it, or what is wrong with it. */
export type Typed =
  | { readonly document: MessageDocument; readonly fields: Fields; readonly at: number }
  | { readonly letter: DeadLetter };

/** Fields of these names say when a message was, where its schema types them as a time. */
const TIMES = ["at", "time", "timestamp", "ts"];

/**
 * Types a message. One without a schema is kept as it came, and rules see no field of it; one that
 * its schema cannot read is a dead letter with everything that is wrong with it.
 */
export function typeMessage(message: Message, schemas: ReadonlyMap<string, Schema>): Typed {
  const schema = chooseSchema(schemas, message.topic);
  if (schema === undefined) {
    const document = documentOf(message, message.receivedAt, asItCame(message.payload));
    return { document, fields: new Map(), at: message.receivedAt };
  }
  const decoded = decode(message.payload, schema.format);
  if ("problem" in decoded) return { letter: letterOf(message, schema, decoded.problem) };
  const { fields, problems } = typeFields(decoded.value, schema);
  if (fields === undefined) {
    const because = problems.map(one => `${one.field}: ${one.problem}`).join("; ");
    return { letter: letterOf(message, schema, because) };
  }
  const at = timeOf(fields, schema) ?? message.receivedAt;
  return { document: { ...documentOf(message, at, nested(fields)), schema: nameOf(schema) }, fields, at };
}

function documentOf({ key, topic, receivedAt }: Message, at: number, value: unknown): MessageDocument {
  const { deviceId, category, type } = topic;
  return { _id: key, deviceId, category, type, at: new Date(at), receivedAt: new Date(receivedAt), value };
}

function letterOf({ key, topic, payload, receivedAt }: Message, schema: Schema, problem: string): DeadLetter {
  const because = `${nameOf(schema)} cannot read it: ${problem}`;
  return { _id: key, topic: topicOf(topic), payload, receivedAt: new Date(receivedAt), because };
}

function nameOf({ reference, version }: Schema): string {
  return `${reference}@${version}`;
}

function timeOf(fields: Fields, schema: Schema): number | undefined {
  const name = TIMES.find(one => schema.fields.get(one)?.type === "time");
  const at = name === undefined ? undefined : fields.get(name);
  return typeof at === "number" ? at : undefined;
}

/** Fields by their paths as objects within objects. */
function nested(fields: Fields): Readonly<Record<string, unknown>> {
  const whole: Record<string, unknown> = {};
  /** A place is an object too, and a value: nothing stands within it. */
  const made = new Set<unknown>();
  for (const [path, value] of fields) {
    if (path.includes(".")) putDeep(whole, path.split("."), value, made);
    else put(whole, path, value);
  }
  return whole;
}

function putDeep(whole: Record<string, unknown>, steps: readonly string[], value: unknown, made: Set<unknown>): void {
  let at = whole;
  for (const step of steps.slice(0, -1)) {
    const known = Object.hasOwn(at, step) ? at[step] : undefined;
    const next = made.has(known) ? (known as Record<string, unknown>) : {};
    if (next !== known) put(at, step, next);
    made.add(next);
    at = next;
  }
  put(at, steps.at(-1) ?? "", value);
}

/** An assignment to `__proto__` would be no field of its own. */
function put(into: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== "__proto__") into[name] = value;
  else Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
}
