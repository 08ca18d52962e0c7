import { BOUNDS } from "@skep/core/model/bounds.ts";
import { DEFAULT_LOGGING, MOST_LOG_BYTES } from "@skep/core/model/container-options.ts";
import type { LogLimits } from "@skep/core/model/container-options.ts";
import type { Place, Problems } from "./problems.ts";
import { readSection } from "./section.ts";
import type { Spot } from "./spots.ts";
import { describe, readInteger, readText, textOf } from "./values.ts";

/** Docker's names for files that stay on the node. */
const KEPT_HERE = ["json-file", "local", "journald"];

/**
 * `logging`: how much of the output is kept. What would send it elsewhere is refused, since nobody
 * would get it.
 */
export function readLogging(spot: Spot, problems: Problems): LogLimits | undefined {
  const asked: { maxBytes?: number; maxFiles?: number; place?: Place } = {};
  readSection(
    spot,
    {
      name: "logging",
      keys: {
        driver: value => readDriver(value, problems),
        options: value => readOptions(value, asked, problems),
      },
    },
    problems,
  );
  if (asked.place === undefined) return undefined;
  const maxBytes = within(asked.maxBytes ?? DEFAULT_LOGGING.maxBytes, BOUNDS.logFileBytes);
  const files = within(asked.maxFiles ?? DEFAULT_LOGGING.maxFiles, BOUNDS.logFiles);
  const maxFiles = Math.max(1, Math.min(files, Math.floor(MOST_LOG_BYTES / maxBytes)));
  const isLess = maxBytes !== (asked.maxBytes ?? maxBytes) || maxFiles !== (asked.maxFiles ?? maxFiles);
  if (isLess)
    problems.note(
      asked.place,
      `the platform keeps ${maxFiles} files of ${maxBytes} bytes of the output`,
      `A file has ${BOUNDS.logFileBytes.least} to ${BOUNDS.logFileBytes.most} bytes, and all have ${MOST_LOG_BYTES} at most`,
    );
  return { maxBytes, maxFiles };
}

function readDriver(spot: Spot, problems: Problems): void {
  const driver = readText(spot, problems);
  if (driver === undefined || KEPT_HERE.includes(driver)) return;
  if (driver === "none")
    problems.note(
      spot,
      "the output is kept all the same, for `skep logs`",
      "Write less of it, or bound it by `max-size`",
    );
  else
    problems.refuse(
      spot,
      `the output is not sent to \`${driver}\``,
      `Write ${KEPT_HERE[0]}, or remove \`driver\`; \`skep logs\` reads it`,
    );
}

function readOptions(
  spot: Spot,
  asked: { maxBytes?: number; maxFiles?: number; place?: Place },
  problems: Problems,
): void {
  if (spot.kind !== "map") {
    problems.refuse(spot, `${describe(spot)} stands where options belong`, "Write `max-size: 10m`");
    return;
  }
  for (const { key, value, ...place } of spot.entries.values()) {
    if (key === "max-size") {
      asked.maxBytes = readSize(value, problems) ?? DEFAULT_LOGGING.maxBytes;
      asked.place = place;
    } else if (key === "max-file") {
      const most = Number.MAX_SAFE_INTEGER;
      asked.maxFiles = readInteger(value, problems, { least: 1, most }) ?? DEFAULT_LOGGING.maxFiles;
      asked.place ??= place;
    } else problems.note(place, `\`${key}\` has no effect on the output`, "Read it with `skep logs`");
  }
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 };

/** An amount as Docker counts it here, in thousands; `-1` is its word for any amount. */
function readSize(spot: Spot, problems: Problems): number | undefined {
  const text = textOf(spot).toLowerCase();
  if (text === "-1") return Number.MAX_SAFE_INTEGER;
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?) ?([kmgt]?)i?b?$/.exec(text) ?? [];
  if (amount !== undefined) return Math.round(Number(amount) * UNITS[unit]!);
  return problems.refuse(
    spot,
    `${describe(spot)} is not an amount of output`,
    "Write a number with its unit, like 10m",
  );
}

function within(value: number, { least, most }: { readonly least: number; readonly most: number }): number {
  return Math.min(most, Math.max(least, value));
}
