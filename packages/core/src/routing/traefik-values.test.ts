import { expect, test } from "vitest";
import { isRegularExpression } from "./traefik-values.ts";

test.each([
  "^/api/(.*)",
  "(?i)^/API",
  "(?i:a)b",
  "(?P<name>a)",
  "(?<name>a)",
  "[[:alpha:]]+",
  "[(?=]",
  "\\pN\\z",
  "\\\\1",
  "a{1,3}",
])("%s is a regular expression of the edge", text => {
  expect(isRegularExpression(text)).toBe(true);
});

test.each(["(", "a**", "[b-a]", "(?=a)", "a(?!b)", "(?<=a)b", "(a)\\1", "\\k<a>", "a{2,1}"])(
  "%s is no regular expression of the edge",
  text => {
    expect(isRegularExpression(text)).toBe(false);
  },
);
