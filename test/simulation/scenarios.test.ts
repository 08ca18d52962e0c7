import { expect, test } from "vitest";
import { BUGS } from "./bugs/bugs.ts";
import { playScenario } from "./scenarios/scenario.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";

test("every scenario that a planted bug names is there", () => {
  const names = new Set(SCENARIOS.map(one => one.name));
  expect(names.size).toBe(SCENARIOS.length);
  expect(BUGS.filter(bug => bug.scenario !== undefined && !names.has(bug.scenario))).toEqual([]);
});

test.each(SCENARIOS)("every rule holds in the scenario $name", async scenario => {
  const { violation } = await playScenario(scenario);
  expect(violation).toBeUndefined();
});
