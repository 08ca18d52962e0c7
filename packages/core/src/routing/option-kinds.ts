import { isRegularExpression } from "./traefik-values.ts";

/**
 * What an option's value is: how it is read, and what a person is told of a value that is refused.
 */
export type OptionKind =
  | {
      readonly is: "value";
      /** The value as Traefik wants it, or `undefined` where it is refused. */
      readonly read: (text: string) => unknown;
      /** Completes "<value> is not ...". */
      readonly what: string;
      readonly example: string;
    }
  | { readonly is: "list"; readonly item: ValueKind; readonly most: number }
  /** Header names to values. */
  | { readonly is: "headers"; readonly most: number }
  /** `isSwitch`: it means something without any option below it, and `<name>=true` asks for it. */
  | { readonly is: "section"; readonly of: OptionSchema; readonly isSwitch: boolean }
  /** Traefik has the option, and no tenant may use it. */
  | { readonly is: "refused"; readonly because: string; readonly advice: string };

/** The kind of an option with one value. */
export type ValueKind = Extract<OptionKind, { is: "value" }>;

/** Options by their names in Traefik's configuration; labels may write them in any case. */
export type OptionSchema = Readonly<Record<string, OptionKind>>;

/** The longest text of one option; a whole configuration holds those of every tenant. */
const MOST_TEXT = 4096;
const MOST_ITEMS = 100;
const MOST_ITEM_TEXT = 1024;

/** true or false. */
export const FLAG: OptionKind = {
  is: "value",
  read: text => (/^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined),
  what: "true or false",
  example: "true",
};

/** A whole number between both ends, these included. */
export function whole(least: number, most: number): ValueKind {
  return {
    is: "value",
    read: text => {
      const value = /^-?\d{1,15}$/.test(text) ? Number(text) : NaN;
      return value >= least && value <= most ? value : undefined;
    },
    what: `a whole number from ${least} to ${most}`,
    example: String(Math.max(least, Math.min(10, most))),
  };
}

/** A text of any content, of at most `most` characters. */
export function text(most = MOST_TEXT): ValueKind {
  return {
    is: "value",
    read: value => (value.length <= most ? value : undefined),
    what: `a text of at most ${most} characters`,
    example: "a shorter one",
  };
}

/** A text that matches `pattern`. */
export function pattern(shape: RegExp, what: string, example: string, most = MOST_ITEM_TEXT): ValueKind {
  return {
    is: "value",
    read: value => (value.length <= most && shape.test(value) ? value : undefined),
    what: `${what}, of at most ${most} characters`,
    example,
  };
}

/** A regular expression that the edge can read. */
export function regularExpression(most: number): ValueKind {
  return {
    is: "value",
    read: value => (value !== "" && value.length <= most && isRegularExpression(value) ? value : undefined),
    what: `a regular expression (RE2), of at most ${most} characters`,
    example: "^/api/(.*)",
  };
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): ValueKind {
  return {
    is: "value",
    read: value => words.find(word => word === value),
    what: `one of ${words.join(", ")}`,
    example: words[0]!,
  };
}

/** Several values, between commas or with an index each. */
export function list(item: ValueKind, most = MOST_ITEMS): OptionKind {
  return { is: "list", item, most };
}

/** Options below an option. */
export function section(of: OptionSchema, isSwitch = false): OptionKind {
  return { is: "section", of, isSwitch };
}

/** An option of Traefik's that no tenant may use. */
export function refused(because: string, advice: string): OptionKind {
  return { is: "refused", because, advice };
}

/** Headers by their names. */
export function headers(most = MOST_ITEMS): OptionKind {
  return { is: "headers", most };
}

/** A header's name. */
export const HEADER_NAME = pattern(/^[A-Za-z0-9!#$%&'*+.^_|~-]+$/, "a header's name", "X-Request-Id", 200);

// They say how a message travels between two neighbours. A value of somebody's own there would let
// the next hop read the borders of messages otherwise than the edge does.
const HOP_BY_HOP = new Set([
  ...["connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding"],
  "upgrade",
]);

/** Why a header cannot be set by a label; `undefined` where it can. */
export function headerProblem(name: string, value: string): string | undefined {
  if (HEADER_NAME.read(name) === undefined || name === "__proto__") return `"${name.slice(0, 60)}" is no header name`;
  if (HOP_BY_HOP.has(name.toLowerCase())) return `the header "${name}" is the edge's own`;
  if (value.length > MOST_TEXT) return `the header "${name}" has more than ${MOST_TEXT} characters`;
  return undefined;
}

const SECONDS: Readonly<Record<string, number>> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 };

/**
 * A duration as Traefik reads them (whole seconds, or numbers with units), between both ends, these
 * included.
 */
export function duration(least: string, most: string): ValueKind {
  const [from, to] = [secondsOf(least)!, secondsOf(most)!];
  return {
    is: "value",
    read: value => {
      const seconds = secondsOf(value);
      return seconds !== undefined && seconds >= from && seconds <= to ? value : undefined;
    },
    what: `a duration from ${least} to ${most}`,
    example: least === "0s" ? "1s" : least,
  };
}

/**
 * The seconds of a duration that Traefik can read. It counts nanoseconds in 64 bits: its digits are
 * bounded here.
 */
function secondsOf(value: string): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  if (value.length > 60 || !/^(\d{1,9}(\.\d{1,6})?(ns|us|ms|s|m|h))+$/.test(value)) return undefined;
  const parts = value.matchAll(/([\d.]+)(ns|us|ms|s|m|h)/g);
  return [...parts].reduce((sum, part) => sum + Number(part[1]) * SECONDS[part[2]!]!, 0);
}
