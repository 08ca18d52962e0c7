import { openBench } from "./bench.ts";
import { describeMachine } from "./machine.ts";
import { measurements } from "./measurements.ts";
import { readOptions } from "./options.ts";
import { linesOf, resultLine } from "./result.ts";

// Measures what was asked for, one after the other, and says what it saw. Nothing is asserted: only
// what could not be measured at all makes the exit code 1.
const options = readOptions(
  process.argv.slice(2),
  measurements.map(one => one.name),
);
if (options.list) for (const { name, title } of measurements) console.log(`${name.padEnd(4)} ${title}`);
else process.exitCode = await measureAll();

async function measureAll(): Promise<number> {
  const bench = openBench(options.quick, line => console.log(line));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => void bench.close().then(() => process.exit(130)));
  // What fails where nobody waits for it must not leave servers and fleets behind.
  for (const event of ["uncaughtException", "unhandledRejection"] as const)
    process.once(event, (error: unknown) => {
      console.error(error);
      void bench.close().then(() => process.exit(1));
    });
  console.log(`machine ${await describeMachine()}`);
  let unmeasured = 0;
  for (const measurement of measurements.filter(one => options.names.includes(one.name))) {
    console.log(`\n${measurement.name}: ${measurement.title}`);
    try {
      const result = await bench.measure(one => measurement.run(one));
      for (const [name, one] of linesOf(measurement.name, result)) {
        console.log(resultLine(name, one));
        if (one.because !== undefined) console.log(`  ${one.because}`);
      }
    } catch (error) {
      unmeasured += 1;
      console.log(
        `${measurement.name} could not be measured: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  }
  await bench.close();
  return unmeasured === 0 ? 0 : 1;
}
