import { expect, it } from "vitest";
import { createBudget } from "./budget.ts";

it("calls as many of those who wait as there is room for, in turn, and each once", () => {
  const budget = createBudget(3);
  const called: string[] = [];
  const looks = ["a", "b", "c"].map(name => () => void called.push(name));
  for (const look of looks) budget.wait(look);
  budget.leave(looks[1]!);
  for (let n = 0; n < 5; n++) budget.spend();
  budget.giveBack(2);
  expect([called, budget.isSpent]).toEqual([[], true]);
  budget.giveBack(1);
  expect([called, budget.isSpent]).toEqual([["a"], false]);
  budget.giveBack(2);
  expect(called).toEqual(["a", "c"]);
});
