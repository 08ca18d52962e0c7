import type { DescField, DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { unknownFields, unknownFieldsSentence } from "@skep/api/codec/unknown-fields.ts";
import { SkepError } from "@skep/core/error.ts";

/** A JSON object that is being put together. */
export type JsonDraft = Record<string, JsonValue>;

function invalid(message: string): SkepError {
  return new SkepError("invalid_argument", "INVALID_REQUEST", message);
}

/**
 * Writes a parameter of path or query into the JSON of a message. `name` is a field's name, dotted
 * for fields inside.
 * @throws SkepError `invalid_argument` for names that the message does not have, for values that do
 * not fit, and where the draft has it already: one of the two would be dropped.
 */
export function setParameter(draft: JsonDraft, message: DescMessage, name: string, values: readonly string[]): void {
  const [first = "", ...deeper] = name.split(".");
  const field = message.fields.find(one => one.name === first || one.jsonName === first);
  if (field === undefined)
    throw invalid(`There is no parameter "${name}"; this path takes: ${parameterNames(message).join(", ") || "none"}.`);
  if (deeper.length > 0) {
    if (field.fieldKind !== "message") throw invalid(`The parameter "${name}" has a dot, but ${first} has no fields.`);
    const inside = draft[field.jsonName];
    const next: JsonDraft = typeof inside === "object" && inside !== null && !Array.isArray(inside) ? inside : {};
    draft[field.jsonName] = next;
    setParameter(next, field.message, deeper.join("."), values);
    return;
  }
  if ([field.name, field.jsonName].some(key => Object.hasOwn(draft, key)))
    throw invalid(`The request says "${name}" twice, in its address or in address and body; say it once.`);
  if (field.fieldKind === "map") throw invalid(`The parameter "${name}" is a map and cannot stand in the address.`);
  if (field.fieldKind === "list") {
    draft[field.jsonName] = values.map(value => parseValue(field, value));
    return;
  }
  const [value, ...others] = values;
  if (value === undefined || others.length > 0) throw invalid(`The parameter "${name}" must be given once.`);
  draft[field.jsonName] = parseValue(field, value);
}

/** Text as JSON: numbers and enums may be text in protobuf's JSON anyway, booleans may not. */
function parseValue(field: DescField, text: string): JsonValue {
  if (field.scalar !== ScalarType.BOOL) return text;
  if (text === "true" || text === "1" || text === "") return true;
  if (text === "false" || text === "0") return false;
  throw invalid(`The parameter "${field.name}" is "${text}"; it must be true or false.`);
}

function parameterNames(message: DescMessage): string[] {
  return message.fields.filter(field => field.fieldKind !== "map").map(field => field.name);
}

/**
 * The value of the body for the fields that it fills: all of them for `*`, one otherwise.
 * @throws SkepError `invalid_argument` where it is not JSON, or not an object where one is needed.
 */
export function parseBody(text: string, message: DescMessage, body: string): JsonDraft {
  if (text.trim() === "") return {};
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw invalid(`The body is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
  if (body !== "*") {
    const field = message.fields.find(one => one.name === body);
    return { [field?.jsonName ?? body]: value };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid("The body must be a JSON object.");
  return value;
}

/**
 * Holds a request to having no body. @throws SkepError `invalid_argument` where it has one: nothing
 * of it would be read.
 */
export function refuseBody(text: string): void {
  if (/^\s*(\{\s*\})?\s*$/.test(text)) return;
  throw invalid("This path takes no body: put what it says into the address, such as ?resource_version=3.");
}

/** @throws SkepError `invalid_argument` that names every field that the message does not have. */
export function refuseUnknownFields(draft: JsonDraft, message: DescMessage): void {
  const issues = unknownFields(message, draft);
  if (issues.length === 0) return;
  const sentence = `The request is not valid: ${unknownFieldsSentence(issues)}.`;
  throw new SkepError("invalid_argument", "INVALID_REQUEST", sentence, { issues });
}

/**
 * Takes what the path says out of the body, where both name it.
 * @throws SkepError `invalid_argument` where they differ.
 */
export function dropPathFields(draft: JsonDraft, message: DescMessage, variables: ReadonlyMap<string, string>): void {
  for (const [name, value] of variables) {
    const field = message.fields.find(one => one.name === name);
    for (const key of [name, field?.jsonName ?? name]) {
      const said = draft[key];
      if (said !== undefined && said !== value)
        throw invalid(
          `The body says ${key} is ${JSON.stringify(said)} and the address says "${value}"; send one of them.`,
        );
      delete draft[key];
    }
  }
}
