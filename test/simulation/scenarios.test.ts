import { availableParallelism } from "node:os";
import { afterAll, expect, test } from "vitest";
import { BUGS } from "./bugs/bugs.ts";
import { startWorker, type Worker } from "./pool.ts";
import { SCENARIOS } from "./scenarios/scenarios.ts";

/** A process for each core, which play scenarios one after the other. */
const idle: Worker[] = Array.from({ length: availableParallelism() }, () => startWorker());
const waiting: ((worker: Worker) => void)[] = [];
afterAll(() => idle.forEach(worker => worker.close()));

async function violationOf(scenario: string): Promise<string | undefined> {
  const worker = idle.pop() ?? (await new Promise<Worker>(resolve => waiting.push(resolve)));
  try {
    return (await worker.run({ scenario })).outcome.violation;
  } finally {
    const next = waiting.shift();
    if (next === undefined) idle.push(worker);
    else next(worker);
  }
}

test("every scenario that a planted bug names is there", () => {
  const names = new Set(SCENARIOS.map(one => one.name));
  expect(names.size).toBe(SCENARIOS.length);
  expect(BUGS.filter(bug => bug.scenario !== undefined && !names.has(bug.scenario))).toEqual([]);
});

test.concurrent.each(SCENARIOS)("every rule holds in the scenario $name", async ({ name }) => {
  expect(await violationOf(name)).toBeUndefined();
});
