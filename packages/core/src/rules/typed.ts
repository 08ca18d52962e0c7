import { readPath } from "./path.ts";
import type { FieldRule, Schema } from "./schema.ts";
import { convertUnit } from "./units.ts";
import { isPoint, type FieldValue, type Fields } from "./value.ts";

/** One field that could not be read: where it is, and what is wrong. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

/** The typed fields of a message, or all that is wrong with it. */
export type Typed =
  | { readonly fields: Fields; readonly problems: readonly [] }
  | { readonly fields: undefined; readonly problems: readonly FieldProblem[] };

/**
 * A decoded message as its schema types it. A field that is missing and not required is left out;
 * one that is there and wrong refuses the message, so that nothing half true is stored.
 */
export function typeFields(message: unknown, schema: Pick<Schema, "fields">): Typed {
  const fields = new Map<string, FieldValue>();
  const problems: FieldProblem[] = [];
  for (const [field, rule] of schema.fields) {
    const sent = firstOf(message, rule.sources);
    if (sent === undefined) {
      if (rule.required) problems.push({ field, problem: `nothing stands at ${rule.sources.join(" or ")}` });
      continue;
    }
    const typed = typeOne(sent, rule);
    if (typeof typed === "object" && "problem" in typed) problems.push({ field, problem: typed.problem });
    else fields.set(field, typed);
  }
  return problems.length === 0 ? { fields, problems: [] } : { fields: undefined, problems };
}

function firstOf(message: unknown, sources: readonly string[]): unknown {
  for (const source of sources) {
    const found = readPath(message, source);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

interface Problem {
  readonly problem: string;
}

function typeOne(sent: unknown, rule: FieldRule): FieldValue | Problem {
  switch (rule.type) {
    case "number":
    case "integer":
      return typeNumber(sent, rule);
    case "text":
      return typeText(sent);
    case "boolean":
      return typeBoolean(sent);
    case "time":
      return typeTime(sent);
    case "point":
      return typePoint(sent);
  }
}

function typeNumber(sent: unknown, rule: FieldRule): number | Problem {
  const number = numberOf(sent);
  if (number === undefined) return no(sent, "a number");
  const scaled = number * rule.scale + rule.offset;
  const value = convertUnit(scaled, rule.sentUnit ?? rule.unit ?? "", rule.unit ?? "");
  if (rule.type === "integer" && !Number.isInteger(value)) return { problem: `${value} is no whole number` };
  if (rule.least !== undefined && value < rule.least) return { problem: `${value} is below ${rule.least}` };
  if (rule.most !== undefined && value > rule.most) return { problem: `${value} is above ${rule.most}` };
  return value;
}

function typeText(sent: unknown): string | Problem {
  if (typeof sent === "string") return sent;
  const isWord = typeof sent === "number" || typeof sent === "boolean" || typeof sent === "bigint";
  return isWord ? String(sent) : no(sent, "a text");
}

/** A finite number, also one that is written as a text; an empty text is none. */
function numberOf(sent: unknown): number | undefined {
  if (typeof sent === "bigint") return numberOf(Number(sent));
  const isWritten = typeof sent === "string" && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(sent);
  const value = typeof sent === "number" || isWritten ? Number(sent) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

const TRUE = new Set<unknown>([true, 1, "1", "true", "on", "yes"]);
const FALSE = new Set<unknown>([false, 0, "0", "false", "off", "no"]);

function typeBoolean(sent: unknown): boolean | Problem {
  const word = typeof sent === "string" ? sent.trim().toLowerCase() : sent;
  if (TRUE.has(word)) return true;
  return FALSE.has(word) ? false : no(sent, "true or false");
}

/** Seconds are told from ms by their size: as ms they would be from before 1973. */
const SECONDS_BELOW = 1e11;

function typeTime(sent: unknown): number | Problem {
  const number = numberOf(sent);
  const at = number === undefined ? (typeof sent === "string" ? Date.parse(sent) : Number.NaN) : asMs(number);
  return Number.isFinite(at) && at >= 0 ? at : no(sent, "a time: seconds or ms since 1970, or ISO 8601");
}

function asMs(number: number): number {
  return Math.round(number < SECONDS_BELOW ? number * 1000 : number);
}

/** A place as `{lat, lon}` in the usual spellings, or as GeoJSON's `[longitude, latitude]`. */
function typePoint(sent: unknown): FieldValue | Problem {
  const [lat, lon] = Array.isArray(sent)
    ? [numberOf(sent[1]), numberOf(sent[0])]
    : [
        numberOf(firstOf(sent, ["lat", "latitude", "coordinates[1]"])),
        numberOf(firstOf(sent, ["lon", "lng", "longitude", "coordinates[0]"])),
      ];
  const isOnEarth = lat !== undefined && lon !== undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return isOnEarth ? { lat, lon } : no(sent, "a place on the earth");
}

function no(sent: unknown, wanted: string): Problem {
  if (typeof sent === "object" && !isPoint(sent)) return { problem: `an object is not ${wanted}` };
  // JSON knows no bigint.
  const shown = JSON.stringify(sent, (_, one: unknown) => (typeof one === "bigint" ? Number(one) : one));
  return { problem: `${shown?.slice(0, 60)} is not ${wanted}` };
}
