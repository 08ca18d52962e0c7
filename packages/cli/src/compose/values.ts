import { BOUNDS } from "@skep/core/model/bounds.ts";
import type { Bounds } from "@skep/core/model/bounds.ts";
import type { Problems } from "./problems.ts";
import { isNothing } from "./spots.ts";
import type { Spot } from "./spots.ts";
import { splitWords } from "./words.ts";

/** Text; numbers are taken as written. */
export function readText(spot: Spot, problems: Problems): string | undefined {
  if (spot.kind === "scalar" && spot.value !== undefined) return String(spot.value);
  return problems.refuse(spot, `${describe(spot)} stands where text belongs`, "Write one value");
}

/** A whole number within the bounds. */
export function readInteger(spot: Spot, problems: Problems, { least, most }: Bounds): number | undefined {
  const text = textOf(spot);
  const value = wholeNumber(text);
  if (value !== undefined && value >= least && value <= most) return value;
  if (/^[-+]?0\d/.test(text))
    return problems.refuse(
      spot,
      `\`${text}\` is read as decimal by some and as octal by others`,
      "Write it without the zeros in front",
    );
  return problems.refuse(spot, `${describe(spot)} is not a whole number from ${least} to ${most}`, "Write one");
}

/** A whole number as YAML 1.2 writes it; `undefined` for anything else. */
function wholeNumber(text: string): number | undefined {
  if (!/^([-+]?(0|[1-9]\d*)(\.0*)?([eE]\+?\d{1,2})?|0x[0-9a-fA-F]+|0o[0-7]+)$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Whether a number or an amount of nothing stands there, which often means "without a limit". */
export function isZero(spot: Spot): boolean {
  return /^-?0*(\.0*)?([kmgt]?i?b?)$/i.test(textOf(spot)) && /0/.test(textOf(spot));
}

/** The text of a single value, empty where there is none. */
export function textOf(spot: Spot): string {
  return spot.kind === "scalar" && typeof spot.value === "string" ? spot.value : "";
}

/** `true` or `false`. As Compose does, it takes the words of older YAML for what they meant. */
export function readBoolean(spot: Spot, problems: Problems): boolean | undefined {
  const word = spot.kind === "scalar" ? String(spot.value ?? "").toLowerCase() : "";
  if (/^(true|yes|y|on)$/.test(word)) return true;
  if (/^(false|no|n|off)$/.test(word)) return false;
  return problems.refuse(spot, `${describe(spot)} is neither true nor false`, "Write true or false");
}

/** One of a few words. */
export function readWord<W extends string>(spot: Spot, problems: Problems, words: readonly W[]): W | undefined {
  const found = words.find(word => spot.kind === "scalar" && spot.value === word);
  return found ?? problems.refuse(spot, `${describe(spot)} is not known here`, `Write ${either(words)}`);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ...{ ns: 0.000_001, us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 },
};

/** A duration of the Compose specification (`1m30s`, `500ms`) in whole milliseconds. */
export function readDuration(spot: Spot, problems: Problems): number | undefined {
  const text = spot.kind === "scalar" ? String(spot.value ?? "") : "";
  if (text === "0") return 0;
  if (/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/g)];
    return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0), 0));
  }
  return problems.refuse(
    spot,
    `${describe(spot)} is not a duration`,
    "Write a number with its unit, like 30s, 1m30s or 500ms",
  );
}

/** The same within bounds; `zero` lets 0 pass, which some keys have for their default. */
export function readDurationWithin(
  spot: Spot,
  problems: Problems,
  { least, most }: Bounds,
  zero?: "zero",
): number | undefined {
  const found = readDuration(spot, problems);
  if (found === undefined || (found >= least && found <= most)) return found;
  if (found === 0 && zero !== undefined && isZeroDuration(spot)) return found;
  const bound = found < least ? `at least ${inWords(least)}` : `at most ${inWords(most)}`;
  return problems.refuse(spot, `${describe(spot)} is too ${found < least ? "short" : "long"}`, `Write ${bound}`);
}

function isZeroDuration(spot: Spot): boolean {
  return !/[1-9]/.test(textOf(spot));
}

function inWords(ms: number): string {
  return ms % 3_600_000 === 0 && ms > 0 ? `${ms / 3_600_000}h` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

const UNIT_BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** An amount of memory (`512M`, `1.5gb`) in bytes; units are powers of 1024, as Docker counts. */
export function readBytes(spot: Spot, problems: Problems): number | undefined {
  const text = spot.kind === "scalar" ? String(spot.value ?? "") : "";
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text);
  const unit = UNIT_BYTES[(match?.[2] ?? "").toLowerCase()];
  if (match !== null && unit !== undefined) return Math.round(Number(match[1]) * unit);
  return problems.refuse(
    spot,
    `${describe(spot)} is not an amount of memory`,
    "Write a number with its unit, like 256M or 1G",
  );
}

/** A number of cores (`0.5`) in thousandths. */
export function readCores(spot: Spot, problems: Problems): number | undefined {
  const text = textOf(spot);
  const millis = Math.round(Number(text) * 1000);
  const { least, most } = BOUNDS.cpuMillis;
  const isNumber = /^(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text);
  if (isNumber && (millis >= least || Number(text) === 0) && millis <= most) return millis;
  if (!isNumber)
    return problems.refuse(spot, `${describe(spot)} is not a number of cores`, "Write a number like 0.5 or 2");
  const advice = `Write a number from ${least / 1000} to ${most / 1000}`;
  return problems.refuse(spot, `${describe(spot)} cores are out of range`, advice);
}

/** A list of texts; where `single` is given one text stands for a list of one. */
export function readTexts(spot: Spot, problems: Problems, single?: "single"): readonly string[] {
  if (spot.kind === "list") return spot.items.flatMap(item => readText(item, problems) ?? []);
  if (single !== undefined && spot.kind === "scalar" && spot.value !== undefined) return [String(spot.value)];
  problems.refuse(spot, `${describe(spot)} stands where a list belongs`, "Write one entry per line, each after `- `");
  return [];
}

/**
 * A command line: a list of words, or one text that is split as a shell splits it. `undefined`
 * keeps the image's own.
 */
export function readCommand(spot: Spot, problems: Problems): readonly string[] | undefined {
  if (isNothing(spot)) return undefined;
  if (spot.kind === "list") return readTexts(spot, problems);
  const text = readText(spot, problems);
  if (text === undefined) return undefined;
  return (
    splitWords(text) ??
    problems.refuse(spot, "a quote is opened and never closed", "Close it, or write the command as a list")
  );
}

/** A key that programs of all kinds take for something else, and lose. */
const LOST_KEY = "__proto__";

/** A mapping, or a list of `key=value`; a key without a value has `undefined`. */
export function readPairs(
  spot: Spot,
  problems: Problems,
): ReadonlyMap<string, { value: string | undefined; spot: Spot }> {
  const pairs = readAllPairs(spot, problems);
  const lost = pairs.get(LOST_KEY);
  if (lost === undefined) return pairs;
  problems.refuse(lost.spot, `\`${LOST_KEY}\` cannot be a key`, "Use another name");
  return new Map([...pairs].filter(([key]) => key !== LOST_KEY));
}

function readAllPairs(spot: Spot, problems: Problems): ReadonlyMap<string, { value: string | undefined; spot: Spot }> {
  const pairs = new Map<string, { value: string | undefined; spot: Spot }>();
  if (spot.kind === "map") {
    for (const { key, value } of spot.entries.values()) {
      if (value.kind === "scalar")
        pairs.set(key, { value: value.value === undefined ? undefined : String(value.value), spot: value });
      else problems.refuse(value, `${describe(value)} stands where text belongs`, "Write one value per key");
    }
  } else if (spot.kind === "list") {
    for (const item of spot.items) {
      const text = readText(item, problems);
      const equals = text?.indexOf("=") ?? -1;
      if (text !== undefined)
        pairs.set(equals < 0 ? text : text.slice(0, equals), {
          value: equals < 0 ? undefined : text.slice(equals + 1),
          spot: item,
        });
    }
  } else if (spot.value !== undefined)
    problems.refuse(spot, `${describe(spot)} stands where keys and values belong`, "Write `key: value`, one per line");
  return pairs;
}

/** How a person would name what stands there. */
export function describe(spot: Spot): string {
  if (spot.kind === "map") return "a mapping";
  if (spot.kind === "list") return "a list";
  return spot.value === undefined ? "nothing" : `\`${String(spot.value)}\``;
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
