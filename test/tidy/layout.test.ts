import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { root, sourceFiles, sources } from "./sources.ts";

/** Which of our packages may import which; every other arrow is refused. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kit: [],
  api: ["core"],
  sdk: ["core", "api"],
  cli: ["core", "api", "sdk"],
  agent: ["core", "api", "kit"],
  netd: ["core", "api", "kit"],
  server: ["core", "api", "kit"],
  scheduler: ["core", "api", "kit", "server"],
  workspace: ["core", "api", "kit", "server"],
  devswarm: [],
};

const TOP_LEVEL = [
  "package.json",
  "pnpm-workspace.yaml",
  "pnpm-lock.yaml",
  "packages",
  "proto",
  "stack",
  "deploy",
  "test",
  "README.md",
  "LICENSE",
  "tsconfig.json",
];

describe("the repository", () => {
  it("has exactly the top level that is listed here", () => {
    const found = readdirSync(root).filter(name => !name.startsWith(".") && name !== "node_modules");
    expect(found.toSorted()).toEqual(TOP_LEVEL.toSorted());
  });

  it("has only packages whose arrows are drawn, each with a README", () => {
    const packages = readdirSync(join(root, "packages"));
    expect(packages.toSorted()).toEqual(Object.keys(ARROWS).toSorted());
    for (const room of [...packages.map(name => `packages/${name}`), "proto", "stack", "deploy", "test"]) {
      expect(
        existsSync(join(root, room, "README.md")),
        `${room}/README.md is missing: say what the room is for and how to change it`,
      ).toBe(true);
    }
  });

  it("imports along the arrows only", () => {
    const wrong: string[] = [];
    for (const { file, imports } of sources()) {
      const room = file.split("/")[1] ?? "";
      const allowed = ARROWS[room];
      if (allowed === undefined || !file.startsWith("packages/")) continue;
      const isTest = /\.(test|contract)\.ts$/.test(file) || file.includes("/testing/");
      for (const specifier of imports) {
        const target = /^@skep\/([a-z]+)/.exec(specifier)?.[1];
        if (target !== undefined && target !== room && !allowed.includes(target) && !isTest)
          wrong.push(`${file} imports ${specifier}`);
        if (
          specifier.startsWith("..") &&
          !relative(join(root, "packages", room), join(root, dirname(file), specifier)).match(/^(?!\.\.)/)
        )
          wrong.push(`${file} reaches out of its package: ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it("names files in kebab-case and has no drawers", () => {
    const wrong = sourceFiles().filter(file => {
      const name = file.split("/").at(-1) ?? "";
      return (
        !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|property\.test|contract|config|bench|d))?\.(ts|mjs|tsx)$/.test(name) ||
        /^(utils?|helpers?|common|misc|base)\./.test(name)
      );
    });
    expect(wrong).toEqual([]);
  });

  it("keeps its sizes: a median file of 100 lines or fewer, main.ts within 60", () => {
    const lengths = sourceFiles().map(file => ({
      file,
      lines: readFileSync(join(root, file), "utf8").split("\n").length - 1,
    }));
    const written = lengths
      .filter(({ file }) => !/\.(test|contract)\.ts$/.test(file))
      .map(({ lines }) => lines)
      .toSorted((a, b) => a - b);
    expect(written[Math.floor(written.length / 2)]).toBeLessThanOrEqual(100);
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
    expect(lengths.filter(({ file, lines }) => file.endsWith("/src/main.ts") && lines > 60)).toEqual([]);
  });
});
