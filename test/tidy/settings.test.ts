import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SETTINGS } from "@skep/agent/config.ts";
import type { Setting } from "@skep/kit/config.ts";
import { NETD_SETTINGS } from "@skep/netd/config.ts";
import { SCHEDULER_SETTINGS } from "@skep/scheduler/config.ts";
import { GATE_SETTINGS } from "@skep/workspace/gate/config.ts";
import { HOST_SETTINGS } from "@skep/workspace/config.ts";
import { root, sources } from "./sources.ts";

type Settings = Readonly<Record<string, Setting<unknown>>>;

/** Each service: its settings, and the READMEs that have them. The scheduler adds the server's. */
const SERVICES: readonly (readonly [string, Settings, readonly string[]])[] = [
  ["the agent", SETTINGS, ["packages/agent"]],
  ["a gate before a broker", GATE_SETTINGS, ["packages/workspace"]],
  ["a host of workspaces", HOST_SETTINGS, ["packages/workspace"]],
  ["netd", NETD_SETTINGS, ["packages/netd"]],
  ["the scheduler", SCHEDULER_SETTINGS, ["packages/scheduler", "packages/server"]],
];

/** `setting("SKEP_X", ...)`, `secret("SKEP_X", ...)`, `env["SKEP_X"]` and `env.SKEP_X`. */
const READS = /(?:\b(?:setting|secret)\(\s*"|\["|\benv\.)(SKEP_[A-Z0-9_]+)/g;

describe("the settings", () => {
  it.each(SERVICES)("of %s stand in a README, each in a row with its default", (_, settings, rooms) => {
    const rows = rooms
      .map(readme)
      .join("\n")
      .split("\n")
      .map(line => line.split("|").map(cell => cell.trim()));
    for (const { variable, schema } of Object.values(settings)) {
      const row = rows.find(cells => cells[1] === `\`${variable}\``);
      expect(row?.[2], `${variable} in ${rooms.join(" or ")}`).toBe(shown(schema.parse(undefined)));
    }
  });

  it("that any source reads stand in the README of its room, or of the stack", () => {
    const missing = sources()
      .filter(({ file }) => !file.endsWith(".test.ts"))
      .flatMap(({ file, text }) => {
        const names = [...text.matchAll(READS)].map(match => match[1] ?? "");
        if (names.length === 0) return [];
        const room = /^(?:packages\/[^/]+|[^/]+)/.exec(file)?.[0] ?? "";
        const words = `${readme(room)}${readme("stack")}`;
        return names.filter(name => !new RegExp(`\\b${name}\\b`).test(words)).map(name => `${name}, read by ${file}`);
      });
    expect(missing).toEqual([]);
  });

  it("of the stack files stand in the stack's README, some as a pattern with `…`", () => {
    const named = [...readme("stack").matchAll(/`(SKEP_[A-Z0-9_…]+)`/g)].map(
      match => new RegExp(`^${(match[1] ?? "").replaceAll("…", "[A-Z0-9_]+")}$`),
    );
    // The README writes the common beginning of three bounds once.
    const ends = [...readme("stack").matchAll(/`…(_[A-Z0-9_]+)`/g)].map(match => match[1] ?? "");
    const file = ["skep.yml", "workspaces.yml"].map(name => readFileSync(join(root, "stack", name), "utf8")).join("\n");
    const variables = [...file.matchAll(/\$\{(SKEP_[A-Z0-9_]+)/g)].map(match => match[1] ?? "");
    const missing = variables.filter(
      name => !named.some(pattern => pattern.test(name)) && !ends.some(end => name.endsWith(end)),
    );
    expect(missing).toEqual([]);
  });
});

function readme(room: string): string {
  return readFileSync(join(root, room, "README.md"), "utf8");
}

function shown(value: unknown): string {
  const isNone = value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
  return isNone ? "none" : typeof value === "object" ? JSON.stringify(value) : String(value as string | number);
}
