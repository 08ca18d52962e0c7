import { expect, test, vi } from "vitest";
import { shared } from "./words.ts";

test("a shared sentence is made once for two numbers, and again only when it was forgotten", () => {
  const make = vi.fn((first: number, second: number) => `${first} of ${second}`);
  const say = shared(make);
  expect([say(1, 2), say(1, 2), say(2, 1)]).toEqual(["1 of 2", "1 of 2", "2 of 1"]);
  expect(make).toHaveBeenCalledTimes(2);
  for (let second = 0; second < 20_000; second++) say(3, second);
  make.mockClear();
  expect([say(1, 2), make.mock.calls.length]).toEqual(["1 of 2", 1]);
});

test("numbers that one key cannot tell apart share no sentence", () => {
  const say = shared((first, second) => `${first} of ${second}`);
  for (const [first, second] of [
    [0, 1_000_000],
    [1, 0],
    [1e300, 1],
    [1e300, 2],
    [NaN, 1],
    [NaN, 2],
  ] as const)
    expect(say(first, second)).toBe(`${first} of ${second}`);
});
