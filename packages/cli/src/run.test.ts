import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { COMMANDS } from "./commands/index.ts";
import { EXIT_CODES } from "./exit-code.ts";
import { renderFailure } from "./failure.ts";
import { SkepError } from "@skep/core/error.ts";
import { runCommand } from "./testing/command.ts";

describe("skep", () => {
  it("says the version that the root's package.json says", async () => {
    const root = `${import.meta.dirname}/../../../package.json`;
    const { version } = JSON.parse(readFileSync(root, "utf8")) as { readonly version: string };
    expect((await runCommand("--version")).out).toBe(`${version}\n`);
  });

  it("shows every command when it is given none", async () => {
    const { code, out } = await runCommand("");
    expect(code).toBe(0);
    expect(out).toContain("\n\nBegin with:\n");
    for (const { name, summary } of COMMANDS) expect(out).toMatch(new RegExp(`\\n  ${name} +${summary.slice(0, 20)}`));
  });

  it.each([
    ["workspace token", "(default: 1h)"],
    ["file link", "(default: 10m)"],
    ["deploy", "(default: 3m)"],
  ])("`%s --help` says a time as people write it", async (name, told) => {
    expect((await runCommand(`${name} --help`)).out.replace(/\s+/g, " ")).toContain(told);
  });

  it.each(COMMANDS.map(({ name }) => name))("`%s --help` teaches by example", async name => {
    const { code, out } = await runCommand(`${name} --help`);
    expect(code).toBe(0);
    expect(out).toContain("Examples:\n");
    expect((await runCommand(`help ${name}`)).out).toBe(out);
  });

  it.each([
    ["dploy", "Did you mean deploy?"],
    ["ps --al-tenants", "Did you mean --all-tenants?"],
    ["scale web", "Write NAME=N"],
    ["logs web --tail many", "Write a whole number"],
    ["apps -o xml", "Allowed choices are table, json"],
    ["label n1 a%b=c", "A key begins with a letter or digit"],
    ["label n1 compute", "Write KEY=VALUE to set a label"],
    ["describe", "missing required argument 'name'. `skep describe --help` shows how."],
    ["frobnicate", "unknown command 'frobnicate'. `skep help` shows what there is."],
    ["volume frob", "unknown command 'frob'. `skep volume --help` shows what there is."],
    ["help frobnicate", "unknown command 'frobnicate'. `skep help` shows what there is."],
    ["ps --frob", "unknown option '--frob'. `skep ps --help` shows how."],
    ["scale web=-1", "skep: argument 'web=-1' is wrong. Write NAME=N"],
    ["deploy -f /tmp", "The file /tmp cannot be read (it is a directory)"],
    ["login not-a-url", "no address of a platform"],
    ["deploy -f /does/not/exist.yaml", "cannot be read"],
    ["context use nowhere", "There is no context `nowhere`"],
  ])("says of `skep %s` what to write instead", async (line, words) => {
    const { code, err, out } = await runCommand(line, { env: { HOME: "/nonexistent" } });
    expect(code).toBe(line.startsWith("context") ? 5 : 2);
    expect(err).toContain(words);
    expect(out).toBe("");
  });

  it("never repeats a password of an address", async () => {
    const { err } = await runCommand("login http://ann:hunter2@host");
    expect(err).not.toContain("hunter2");
  });
});

describe("a failure", () => {
  it("is one paragraph: what, where, what to do, then each issue", () => {
    const failure = new SkepError("invalid_argument", "X", "It is wrong", {
      details: { advice: "make it right" },
      issues: [{ path: "spec.name", problem: "it is long", advice: "shorten it" }],
    });
    expect(renderFailure(failure)).toBe("skep: It is wrong. Make it right.\n  spec.name: it is long. Shorten it.\n");
  });

  it("says nothing twice", () => {
    const issue = { path: "name", problem: "is too long", advice: "" };
    const failure = new SkepError("invalid_argument", "X", "Not valid: name: is too long.", { issues: [issue] });
    expect(renderFailure(failure)).toBe("skep: Not valid: name: is too long.\n");
  });

  it("has an exit code of its own kind", () => {
    expect(new Set(Object.values(EXIT_CODES))).toEqual(new Set([2, 4, 5, 6, 7, 8, 9, 70]));
  });
});

describe("completion", () => {
  it("is a script that bash can read, and completes commands, subcommands and options", async () => {
    const { out } = await runCommand("completion bash");
    const ask = (words: readonly string[]): string => {
      const script = `${out}\nCOMP_WORDS=(${words.map(word => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}; _skep; echo "\${COMPREPLY[@]}"`;
      const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
      expect(stderr).toBe("");
      return stdout.trim();
    };
    expect(ask(["skep", "dep"])).toBe("deploy");
    expect(ask(["skep", "tenant", "cr"])).toBe("create");
    expect(ask(["skep", "scale", "--no"])).toBe("--no-wait");
    expect(ask(["skep", "ps", "-o", ""])).toBe("table json");
  });

  it.each(["zsh", "fish"])("has a script for %s with every command", async shell => {
    const { out } = await runCommand(`completion ${shell}`);
    for (const { name } of COMMANDS) expect(out).toContain(name);
  });
});
