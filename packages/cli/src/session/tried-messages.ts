import { toJson, type JsonValue } from "@bufbuild/protobuf";
import { timestampMs, ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Message } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { TriedMessage } from "@skep/core/rules/dry-run.ts";
import { readBinary, readPositional, type Decoded } from "@skep/core/rules/layout.ts";
import type { Format } from "@skep/core/rules/schema.ts";
import { isPoint, type FieldValue } from "@skep/core/rules/value.ts";
import { parseTopic } from "@skep/core/workspace/topic.ts";
import { parse } from "yaml";
import { readText } from "./document-file.ts";
import type { Io } from "../io.ts";

type Line = Readonly<Record<string, JsonValue | undefined>>;

/** Between two messages that do not say when they were. */
const STEP_MS = 1000;

/**
 * The messages of a file: one object a line, or a list. Each has a `topic` with its device, what it
 * says (`payload` as JSON or as a text, `base64` for bytes, or typed `fields`), and may say when it
 * was (`at`). @throws SkepError `invalid_argument` by its place.
 */
export function readMessages(io: Io, file: string): readonly TriedMessage[] {
  const text = readText(io, file);
  let at = 0;
  return linesOf(text, file).map(({ json, place }) => {
    if (!isLine(json)) throw refused(place, "it is no object");
    const { topic } = json;
    const parsed = typeof topic === "string" ? parseTopic(topic) : undefined;
    if (parsed === undefined) throw refused(place, "its topic is none of a device: {workspace}/devices/{device}/...");
    at = timeOf(json["at"], at + STEP_MS, place);
    const { deviceId, category, type } = parsed;
    return { deviceId, category, type, at, read: readerOf(json, place) };
  });
}

/** A message that a workspace has stored: typed already, or read anew by the schemas. */
export function triedOf({ deviceId, category, type, at, schema, content }: Message): TriedMessage {
  const head = { deviceId, category, type, at: at === undefined ? 0 : timestampMs(at) };
  if (content.case === "payload")
    return { ...head, read: readerOf({ base64: Buffer.from(content.value).toString("base64") }, "") };
  const value = content.case === undefined ? null : toJson(ValueSchema, content.value);
  if (schema === "" || !isLine(value)) return { ...head, read: readerOf({ payload: value }, "") };
  const fields = Object.entries(value).flatMap(([name, one]) => (isField(one) ? [[name, one] as const] : []));
  return { ...head, read: { fields: new Map(fields) } };
}

function linesOf(text: string, file: string): readonly { readonly json: JsonValue; readonly place: string }[] {
  if (/^\s*(\[|- )/.test(text)) {
    const list = parseWith(file, () => parse(text) as JsonValue);
    if (!Array.isArray(list)) throw refused(file, "it is no list");
    return list.map((json, index) => ({ json, place: `${file}[${index}]` }));
  }
  return text.split("\n").flatMap((line, index) => {
    const place = `${file}:${index + 1}`;
    return line.trim() === "" ? [] : [{ json: parseWith(place, () => JSON.parse(line) as JsonValue), place }];
  });
}

function parseWith(place: string, run: () => JsonValue): JsonValue {
  try {
    return run();
  } catch (error) {
    throw refused(place, error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

function timeOf(given: JsonValue | undefined, otherwise: number, place: string): number {
  if (given === undefined) return otherwise;
  const at = typeof given === "string" ? Date.parse(given) : given;
  if (typeof at === "number" && Number.isFinite(at) && at >= 0) return at;
  throw refused(place, "`at` is no time: write ms since 1970, or 2026-11-21T06:42:11Z");
}

function readerOf({ payload, base64, fields }: Line, place: string): TriedMessage["read"] {
  if ([payload, base64, fields].filter(one => one !== undefined).length !== 1)
    throw refused(place, "it needs one of `payload`, `base64` and `fields`");
  if (fields !== undefined) {
    if (!isLine(fields)) throw refused(place, "`fields` is no object");
    return {
      fields: new Map(Object.entries(fields).map(([name, value]) => [name, fieldOf(value, `${place} ${name}`)])),
    };
  }
  if (base64 !== undefined && typeof base64 !== "string") throw refused(place, "`base64` is no text");
  const bytes = Buffer.from(
    base64 ?? (typeof payload === "string" ? payload : JSON.stringify(payload)),
    base64 === undefined ? "utf8" : "base64",
  );
  return format => decode(bytes, format, typeof payload === "string" ? undefined : payload);
}

function isField(value: JsonValue | undefined): value is FieldValue & JsonValue {
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean" || isPoint(value);
}

function fieldOf(value: JsonValue | undefined, place: string): FieldValue {
  if (isField(value)) return value;
  throw refused(place, "it is neither a number, a text, true, false nor a place");
}

/** What a host would read. CBOR is tried out as JSON: its values are the same. */
function decode(bytes: Buffer, format: Format, value: JsonValue | undefined): Decoded {
  switch (format.kind) {
    case "binary":
      return readBinary(bytes, format.fields, part => Buffer.from(part).toString("utf8"));
    case "positional":
      return readPositional(bytes.toString("utf8"), format);
    case "json":
    case "cbor":
      return decodeJson(bytes, value);
  }
}

function decodeJson(bytes: Buffer, given: JsonValue | undefined): Decoded {
  try {
    const value = given ?? (JSON.parse(bytes.toString("utf8")) as JsonValue);
    return isLine(value) ? { value } : { problem: "it is no object" };
  } catch {
    return { problem: "it is no JSON" };
  }
}

function isLine(json: JsonValue | undefined): json is { readonly [name: string]: JsonValue } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function refused(place: string, problem: string): SkepError {
  return new SkepError("invalid_argument", "MESSAGES_MALFORMED", `${place}: ${problem}.`);
}
