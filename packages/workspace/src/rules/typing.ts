import { chooseSchema } from "@skep/core/rules/choose-schema.ts";
import type { Schema } from "@skep/core/rules/schema.ts";
import { typeFields } from "@skep/core/rules/typed.ts";
import type { Fields } from "@skep/core/rules/value.ts";
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
export function typeMessage(message: Message, schemas: ReadonlyMap<string, Schema>, topic: string): Typed {
  const schema = chooseSchema(schemas, message.topic);
  if (schema === undefined) {
    const document = documentOf(message, message.receivedAt, asItCame(message.payload));
    return { document, fields: new Map(), at: message.receivedAt };
  }
  const decoded = decode(message.payload, schema.format);
  if ("problem" in decoded) return { letter: letterOf(message, topic, schema, decoded.problem) };
  const { fields, problems } = typeFields(decoded.value, schema);
  if (fields === undefined) {
    const because = problems.map(one => `${one.field}: ${one.problem}`).join("; ");
    return { letter: letterOf(message, topic, schema, because) };
  }
  const at = timeOf(fields, schema) ?? message.receivedAt;
  return { document: { ...documentOf(message, at, nested(fields)), schema: nameOf(schema) }, fields, at };
}

function documentOf({ key, topic, receivedAt }: Message, at: number, value: unknown): MessageDocument {
  const { deviceId, category, type } = topic;
  return { _id: key, deviceId, category, type, at: new Date(at), receivedAt: new Date(receivedAt), value };
}

function letterOf({ key, payload, receivedAt }: Message, topic: string, schema: Schema, problem: string): DeadLetter {
  const because = `${nameOf(schema)} cannot read it: ${problem}`;
  return { _id: key, topic, payload, receivedAt: new Date(receivedAt), because };
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
  const whole = new Map<string, unknown>();
  for (const [path, value] of fields) put(whole, path.split("."), value);
  return toObject(whole);
}

function put(into: Map<string, unknown>, [step = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) return void into.set(step, value);
  const known = into.get(step);
  const next = known instanceof Map ? (known as Map<string, unknown>) : new Map<string, unknown>();
  into.set(step, next);
  put(next, rest, value);
}

function toObject(map: ReadonlyMap<string, unknown>): Readonly<Record<string, unknown>> {
  const entries = [...map].map(([key, one]) => [key, one instanceof Map ? toObject(one) : one] as const);
  return Object.fromEntries(entries);
}
