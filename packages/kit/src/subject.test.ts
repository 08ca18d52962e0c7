import { expect, test } from "vitest";
import { matchesSubject } from "./subject.ts";

test.each([
  ["a.b", "a.b", true],
  ["a.b", "a.c", false],
  ["a.*", "a.b", true],
  ["a.*", "a.b.c", false],
  ["a.*.c", "a.b.c", true],
  ["a.>", "a.b.c", true],
  ["a.>", "a", false],
  [">", "a", true],
  ["*", "a.b", false],
  ["a.b.c", "a.b", false],
])("%s against %s is %s", (pattern, subject, matches) => {
  expect(matchesSubject(pattern, subject)).toBe(matches);
});
