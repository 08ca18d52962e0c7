import { expect, test } from "vitest";
import { openBench } from "./bench.ts";

test("what a measurement deferred is undone in reverse when it ends, also when one of it fails", async () => {
  const lines: string[] = [];
  const bench = openBench(false, line => lines.push(line));
  await bench.measure(async one => {
    one.defer("server", async () => void lines.push("server ended"));
    one.defer("fleet", () => Promise.reject(new Error("it hangs")));
  });
  expect(lines).toEqual(["  fleet could not be taken down: Error: it hangs", "server ended"]);
});

test("what is shared is made once and lives as long as the run", async () => {
  const bench = openBench(false, () => undefined);
  const events: string[] = [];
  const use = (): Promise<number> =>
    bench.measure(one =>
      one.share("server", async defer => {
        defer("server", async () => void events.push("ended"));
        return events.push("made");
      }),
    );
  expect([await use(), await use()]).toEqual([1, 1]);
  await bench.close();
  await bench.close();
  expect(events).toEqual(["made", "ended"]);
});

test("a run that is ended takes down the measurement that is under way", async () => {
  const bench = openBench(false, () => undefined);
  let undone = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const running = bench.measure(async one => {
    one.defer("something", async () => void undone++);
    await promise;
  });
  await bench.close();
  expect(undone).toBe(1);
  resolve();
  await running;
  expect(undone).toBe(1);
});

test("a quick run has fewer rounds, but more than one", async () => {
  const rounds = (quick: boolean): Promise<number[]> =>
    openBench(quick, () => undefined).measure(async one => [one.rounds(20), one.rounds(5)]);
  expect(await rounds(true)).toEqual([4, 2]);
  expect(await rounds(false)).toEqual([20, 5]);
});
