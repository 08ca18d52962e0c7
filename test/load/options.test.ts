import { expect, test } from "vitest";
import { readOptions } from "./options.ts";

const known = ["P1", "P3", "P12"];

test("without names everything is measured, in the order of the list", () => {
  expect(readOptions([], known)).toEqual({ names: known, list: false, quick: false });
  expect(readOptions(["p12", "P1", "--quick"], known)).toEqual({ names: ["P1", "P12"], list: false, quick: true });
  expect(readOptions(["--list"], known).list).toBe(true);
});

test("what is not known is named, with what there is", () => {
  expect(() => readOptions(["P2"], known)).toThrow("nothing to measure is called P2: there are P1, P3, P12");
  expect(() => readOptions(["--fast"], known)).toThrow("unknown option --fast");
});
