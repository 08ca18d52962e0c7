import { simulate } from "./simulate.ts";

// Replays seeds outside the test runner: SKEP_SEED=17 prints the whole trace of one, SKEP_SEEDS=1000 the result of many.
const only = process.env["SKEP_SEED"];
const write = (line: string): void => void process.stdout.write(`${line}\n`);

if (only !== undefined) {
  const { violation, hash, events, recoveredMs } = await simulate(Number(only), { echo: write });
  write(
    `seed ${only}: ${violation ?? "every rule holds"}; ${events} events, trace ${hash}, recovered after ${recoveredMs} ms`,
  );
  process.exitCode = violation === undefined ? 0 : 1;
} else {
  const first = Number(process.env["SKEP_FIRST_SEED"] ?? 1);
  const count = Number(process.env["SKEP_SEEDS"] ?? 200);
  const startedAt = performance.now();
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { violation, recoveredMs } = await simulate(seed);
    if (violation !== undefined) {
      failed++;
      write(`seed ${seed}: ${violation}`);
    } else if (process.env["SKEP_VERBOSE"] !== undefined) write(`seed ${seed}: recovered after ${recoveredMs} ms`);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  write(`${count} seeds, ${failed} failed, ${(count / seconds).toFixed(1)} seeds/s`);
  process.exitCode = failed === 0 ? 0 : 1;
}
