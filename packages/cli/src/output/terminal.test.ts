import { expect, it } from "vitest";
import { colour } from "./colour.ts";
import { forTerminal } from "./terminal.ts";

const tty = { isTty: true, env: {} } as Parameters<typeof colour>[0];

it.each([
  ["a cursor that moves up", "a\u001B[2Ab", "a\\u001b[2Ab"],
  ["a colour that is not ours", "\u001B[32mhealthy\u001B[0m", "\\u001b[32mhealthy\\u001b[0m"],
  ["the short form of an escape", "a\u009B2Jb", "a\\u009b2Jb"],
  ["a line that is written over", "bad\rgood", "bad\\u000dgood"],
  ["a title", "\u001B]0;root\u0007", "\\u001b]0;root\\u0007"],
  ["writing from right to left", "a\u202Eb\u2066c", "a\\u202eb\\u2066c"],
  ["letters, tabs and lines", "ä\t日本\n😀", "ä\t日本\n😀"],
])("writes out %s", (_, text, shown) => {
  expect(forTerminal(text)).toBe(shown);
});

it("keeps the colours that are ours, also around what is not", () => {
  expect(forTerminal(colour(tty, "good", "run\u001B[31mning"))).toBe("\u001B[32mrun\\u001b[31mning\u001B[39m");
});

it("writes out the Arabic letter mark, which turns the direction as well", () => {
  expect(forTerminal("a\u061Cb")).toBe("a\\u061cb");
});
