import type { Problems } from "./problems.ts";
import type { Spot } from "./tree.ts";
import { splitWords } from "./words.ts";

/** Text; numbers and booleans are taken as written. */
export function readText(spot: Spot, problems: Problems): string | undefined {
  if (spot.kind === "scalar" && spot.value !== undefined) return String(spot.value);
  return problems.refuse(spot, `${describe(spot)} stands where text belongs`, "Write one value");
}

/** A whole number between the bounds, both included. */
export function readInteger(spot: Spot, problems: Problems, from: number, to: number): number | undefined {
  const value = spot.kind === "scalar" ? Number(spot.value === "" ? Number.NaN : spot.value) : Number.NaN;
  if (
    Number.isInteger(value) &&
    value >= from &&
    value <= to &&
    typeof (spot as { value?: unknown }).value !== "boolean"
  )
    return value;
  return problems.refuse(spot, `${describe(spot)} is not a whole number from ${from} to ${to}`, "Write one");
}

/** `true` or `false`. */
export function readBoolean(spot: Spot, problems: Problems): boolean | undefined {
  if (spot.kind === "scalar" && (spot.value === true || spot.value === "true")) return true;
  if (spot.kind === "scalar" && (spot.value === false || spot.value === "false")) return false;
  return problems.refuse(spot, `${describe(spot)} is neither true nor false`, "Write true or false");
}

/** One of a few words. */
export function readWord<W extends string>(spot: Spot, problems: Problems, words: readonly W[]): W | undefined {
  const found = words.find(word => spot.kind === "scalar" && spot.value === word);
  return found ?? problems.refuse(spot, `${describe(spot)} is not known here`, `Write ${either(words)}`);
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration of the Compose specification (`1m30s`, `500ms`) in whole milliseconds. */
export function readDuration(spot: Spot, problems: Problems): number | undefined {
  const text = spot.kind === "scalar" ? String(spot.value ?? "") : "";
  if (text === "0") return 0;
  if (/^(\d+(\.\d+)?(us|ms|s|m|h))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)];
    return Math.round(parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0), 0));
  }
  return problems.refuse(
    spot,
    `${describe(spot)} is not a duration`,
    "Write a number with its unit, like 30s, 1m30s or 500ms",
  );
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
  const value = spot.kind === "scalar" && spot.value !== "" ? Number(spot.value) : Number.NaN;
  if (Number.isFinite(value) && value > 0 && value <= 1024) return Math.max(1, Math.round(value * 1000));
  return problems.refuse(spot, `${describe(spot)} is not a number of cores`, "Write a number like 0.5 or 2");
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
  if (spot.kind === "scalar" && spot.value === undefined) return undefined;
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
