import { expect, it } from "vitest";
import { sources } from "./sources.ts";

const WIDEST = 100;

/** Rooms whose comments are still wider. The list only shrinks: one that is no longer needed fails the test. */
const STILL_WIDE: readonly string[] = ["packages/api", "packages/core", "packages/scheduler", "test"];

const roomOf = (file: string): string => /^packages\/[a-z]+|^[a-z]+/.exec(file)?.[0] ?? file;

it("keeps comments within 100 columns, which the eye can follow", () => {
  const wide = sources().flatMap(({ file, text }) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        line.length > WIDEST && /^\s*(\*|\/\/|\/\*)/.test(line)
          ? [{ room: roomOf(file), at: `${file}:${index + 1}` }]
          : [],
      ),
  );
  expect(wide.filter(({ room }) => !STILL_WIDE.includes(room)).map(({ at }) => at)).toEqual([]);
  const unneeded = STILL_WIDE.filter(room => wide.every(one => one.room !== room));
  expect(unneeded, "these rooms are done: take them out of the list").toEqual([]);
});
