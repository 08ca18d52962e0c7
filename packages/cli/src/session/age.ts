import { InvalidArgumentError, Option } from "commander";

/** `90s`, `10m`, `2h` or `1d` in milliseconds. */
export function parseAge(text: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(text);
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? ""];
  if (match === null || unit === undefined)
    throw new InvalidArgumentError("Write a number and s, m, h or d, like 10m.");
  return Number(match[1]) * unit;
}

/** An option that takes an age, with a default that its help says as people write it. */
export function ageOption(flags: string, description: string, byDefault: string): Option {
  return new Option(flags, description).argParser(parseAge).default(parseAge(byDefault), byDefault);
}
