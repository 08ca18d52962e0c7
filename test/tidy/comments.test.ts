import { expect, it } from "vitest";
import { sources } from "./sources.ts";

const WIDEST = 100;

it("keeps comments within 100 columns, which the eye can follow", () => {
  const wide = sources().flatMap(({ file, text }) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        line.length > WIDEST && /^\s*(\*|\/\/|\/\*)/.test(line) ? [`${file}:${index + 1}`] : [],
      ),
  );
  expect(wide).toEqual([]);
});
