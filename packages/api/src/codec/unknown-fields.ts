import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Issue } from "@skep/core/error.ts";

/** So many are named: an answer has bounds though a request names any number of them. */
const MOST = 20;
const MOST_NAME = 64;

/**
 * Every field of JSON that its message does not have, by its path and with what is known there.
 * Empty where there is none, or where the JSON is of another kind, of which the decoder speaks.
 */
export function unknownFields(message: DescMessage, json: unknown): readonly Issue[] {
  const issues: Issue[] = [];
  look(message, json, "", issues);
  return issues;
}

/** What is wrong, in one sentence for people, all of it with its places. */
export function unknownFieldsSentence(issues: readonly Issue[]): string {
  return issues.map(({ path, problem, advice }) => `${path}: ${problem}; ${advice}`).join("; ");
}

function look(message: DescMessage, json: unknown, path: string, issues: Issue[]): void {
  // Those of protobuf have a JSON of their own, and some of them any fields.
  if (!isObject(json) || message.typeName.startsWith("google.protobuf.")) return;
  for (const [name, value] of Object.entries(json)) {
    if (issues.length >= MOST) return;
    const field = message.fields.find(one => one.jsonName === name || one.name === name);
    const place = `${path}${path === "" ? "" : "."}${name.slice(0, MOST_NAME)}`;
    if (field === undefined) issues.push({ path: place, problem: "there is no such field", advice: known(message) });
    else lookInside(field, value, place, issues);
  }
}

function lookInside(field: DescField, value: unknown, path: string, issues: Issue[]): void {
  const inside = field.message;
  if (inside === undefined) return;
  if (field.fieldKind === "message") return look(inside, value, path, issues);
  if (Array.isArray(value)) value.forEach((one, index) => look(inside, one, `${path}[${index}]`, issues));
  else if (field.fieldKind === "map" && isObject(value))
    for (const [key, one] of Object.entries(value)) look(inside, one, `${path}["${key.slice(0, MOST_NAME)}"]`, issues);
}

function known({ fields }: DescMessage): string {
  if (fields.length === 0) return "leave it out; nothing is known here";
  return `leave it out; known here: ${fields.map(one => one.jsonName).join(", ")}`;
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
