import { describe, expect, it } from "vitest";
import { compose, refusals } from "../testing/compose.ts";
import { parseEnvFile, parseRawEnvFile } from "./dotenv.ts";

const KNOWN = { HOME: "/h", EMPTY: "" };

describe("a file of variables", () => {
  it.each([
    ["a value", "A=b", "b"],
    ["nothing", "A=", ""],
    ["blanks around", "  A = b c  ", "b c"],
    ["export", "export A=b", "b"],
    ["a colon", "A: b", "b"],
    ["a comment after it", "A=b # words", "b"],
    ["a sharp that begins no comment", "A=b#c", "b#c"],
    ["Windows' line ends", "A=b\r\nB=c\r\n", "b"],
    ["a mark of its encoding", "\ufeffA=b", "b"],
    ["single quotes, to the letter", "A='b $HOME \\n \"' # words", 'b $HOME \\n "'],
    ["a quote in quotes of its kind", "A='it\\'s'", "it's"],
    ["double quotes with escapes", 'A="a\\tb\\n\\"c\\" \\\\ \\$HOME \\x"', 'a\tb\n"c" \\ $HOME \\x'],
    ["variables", 'A="$HOME/${NO:-x}"', "/h/x"],
    ["variables without quotes", "A=$HOME/${EMPTY:-${HOME}}", "/h//h"],
    ["variables of the lines before", "B=1\nA=${B}2", "12"],
    ["a dollar sign", "A=$$x", "$x"],
    ["lines in double quotes", 'A="one\ntwo # no comment\n\nfour"\nB=c', "one\ntwo # no comment\n\nfour"],
    ["lines in single quotes", "A='one\ntwo'\nB=c", "one\ntwo"],
    ["an equals sign", "A=b=c", "b=c"],
  ])("may have %s", (_, text, value) => {
    expect(parseEnvFile(text, KNOWN)).toMatchObject({ env: { A: value }, problem: undefined });
  });

  it("takes a name alone from where it runs, and what runs there wins in variables", () => {
    expect(parseEnvFile("HOME\nNONE\nB=1", KNOWN).env).toEqual({ HOME: "/h", B: "1" });
    expect(parseEnvFile("HOME=/other\nA=$HOME", KNOWN).env).toEqual({ HOME: "/other", A: "/h" });
  });

  it.each([
    ["an open quote", 'B=1\nA="one\ntwo', 2, "never closed"],
    ["words after a quote", 'A="x" y', 1, "`y` stands after the closing quote"],
    ["no name", "B=1\n\n=x", 3, "no NAME=value"],
    ["a name with blanks", "A B=1", 1, "no NAME=value"],
    ["a lone dollar", 'B="a\nb"\nA=5$', 3, "begins no variable"],
    ["a required variable", "A=${NO:?give it}", 1, "give it"],
  ])("names the line of %s", (_, text, line, words) => {
    expect(parseEnvFile(text, {})).toMatchObject({ line, problem: expect.stringContaining(words) as string });
  });

  it("is taken to the letter in the format `raw`", () => {
    expect(parseRawEnvFile('A="$B" # x\nC=\'\nHOME\n', KNOWN).env).toEqual({ A: '"$B" # x', C: "'", HOME: "/h" });
  });
});

describe("env_file", () => {
  const web = (rest: string): string => `services:\n  web:\n    image: a\n    ${rest}\n`;

  it("has later files above earlier, and `environment` above all", () => {
    const files = { "a.env": "A=1\nB=1\nC=1\n", "b.env": "B=2\nD=${A}${E}\n" };
    const { deployments } = compose(web("env_file: [a.env, b.env]\n    environment: { C: 3, E: 5 }"), { files });
    expect(deployments[0]?.containers[0]?.env).toEqual({ A: "1", B: "2", C: "3", D: "15", E: "5" });
  });

  it("keeps a key of several lines whole", () => {
    const files = { "app.env": 'KEY="-----BEGIN X-----\nQUJD\n-----END X-----"\nB=2\n' };
    const { deployments, issues } = compose(web("env_file: app.env"), { files });
    expect(issues).toEqual([]);
    expect(deployments[0]?.containers[0]?.env).toEqual({ KEY: "-----BEGIN X-----\nQUJD\n-----END X-----", B: "2" });
  });

  it("may be missing where it says so, and names its own line where it is broken", () => {
    expect(refusals(web("env_file: [{ path: no.env, required: false }]"))).toEqual([]);
    expect(refusals(web("env_file: [{ path: no.env }]"))[0]).toMatch(/^c\.yaml:4:16: .*`no\.env` cannot be read/);
    expect(refusals(web("env_file: [{ required: false }]"))[0]).toMatch(/has no `path`/);
    expect(refusals(web("env_file: a.env"), { files: { "a.env": 'A=1\nB="x\n' } })[0]).toMatch(
      /^c\.yaml:4:15: .*line 2 of `a\.env`: a quote is opened/,
    );
  });

  it("has a sister for labels", () => {
    const { deployments } = compose(web("label_file: l.env\n    labels: { b: 2 }"), {
      files: { "l.env": "a=1\nb=1\n" },
    });
    expect(deployments[0]?.containers[0]?.labels).toEqual({ a: "1", b: "2" });
  });
});
