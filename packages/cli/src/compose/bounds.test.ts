import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compose, refusals } from "../testing/compose.ts";

/** Every reason to refuse a file. That none takes minutes is the test's own deadline. */
function read(text: string): string[] {
  return refusals(text, { env: { SET: "x".repeat(10_000) } });
}

const services = (rest: string): string => `services: { web: { image: a } }\n${rest}\n`;
const many = (count: number, one: (index: number) => string, between = ", "): string =>
  Array.from({ length: count }, (_, index) => one(index)).join(between);

describe("a file that asks for too much", () => {
  it.each([
    ["19,000 aliases", services(`x-a: &a 1\nx-b: [${many(19_000, () => "*a")}]`), undefined],
    ["19,000 aliases of as many anchors", services(`x-b: [${many(9_500, at => `&a${at} 1, *a${at}`)}]`), undefined],
    ["50,000 keys in a mapping", services(`x-b: {${many(50_000, at => `k${at}: 1`)}}`), "more than 20000 values"],
    [
      "lists in lists, 150 deep by aliases",
      services(`x-0: &a0 [1]\n${many(150, at => `x-${at + 1}: &a${at + 1} [*a${at}]`, "\n")}`),
      "deep",
    ],
    ["items on one line, 300,000 deep", services(`x-b:\n  ${"- ".repeat(300_000)}a`), "deep"],
    ["lists in lists, 5,000 deep", services(`x-b: ${"[".repeat(5_000)}${"]".repeat(5_000)}`), "deep"],
    ["lists in lists, 300,000 deep", services(`x-b: ${"[".repeat(300_000)}${"]".repeat(300_000)}`), "deep"],
    ["a larger file than any", services(`# ${"x".repeat(1_000_000)}`), "1:1: the file has"],
  ])("is read soon, or refused with a line: %s", (_, text, refusal) => {
    const issues = read(text);
    if (refusal === undefined) expect(issues).toEqual([]);
    else expect(issues.find(issue => issue.includes(refusal))).toMatch(/^c\.yaml:\d+:\d+: /);
  });

  it.each([
    ["33 deep", `${"${A:-".repeat(34)}${"}".repeat(34)}`, "more than 32 deep"],
    ["100,000 deep", `${"${A:-".repeat(100_000)}${"}".repeat(100_000)}`, "more than 32 deep"],
    ["that make a text of gigabytes", "${SET}".repeat(100_000), "longer than 1000000 characters"],
    ["that nobody closes", "${A:-".repeat(150_000), "is not a variable that can be read"],
  ])("names the line of variables %s", (_, text, refusal) => {
    const issues = read(services(`x-b: "${text}"`));
    expect(issues).toEqual([expect.stringMatching(/^c\.yaml:2:6: x-b: /)]);
    expect(issues[0]).toContain(refusal);
  });

  it("may nest variables 32 deep, and gives an alias the last value of its name before it", () => {
    const text = `x-a: &a one\nx-b: &a two\nservices:\n  web: { image: *a, user: "${"${A:-".repeat(32)}me${"}".repeat(32)}" }`;
    const { deployments, issues } = compose(text);
    expect(issues).toEqual([]);
    expect(deployments[0]?.containers[0]).toMatchObject({ image: "two", user: "me" });
  });
});

const words = fc.constantFrom(
  ...["services", "web", "image", "ports", "environment", "x-skep", "deploy", "labels", "volumes", "healthcheck"],
  ...["constructor", "__proto__", "toString", "<<", "${A:-", "$", "}", "&a", "*a", "!!binary", "!x", "? ", "|", ">"],
  ...["\n  ", "\n", ": ", "- ", "[", "]", "{", "}", ",", "'", '"', "%YAML 1.2", "---", "1e999", "0x", ".nan", "\u001b"],
);

it("is never a defect, whatever a file says", () => {
  const files = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc.array(words, { maxLength: 60 }).map(all => all.join("")),
  );
  const service = files.map(text => `services:\n  web:\n    image: a\n    ${text}`);
  fc.assert(
    fc.property(fc.oneof(files, service), text => void read(text)),
    { numRuns: 1_500, seed: 7 },
  );
});
