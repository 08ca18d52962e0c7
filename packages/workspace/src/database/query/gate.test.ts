import { expect, test } from "vitest";
import { createGate } from "./gate.ts";

test("a gate lets so many through at once, and others once one is done", async () => {
  const gate = createGate(2);
  const dones: (() => void)[] = [];
  const work = () => new Promise<void>(resolve => dones.push(resolve));
  const first = [gate.pass(work), gate.pass(work)];
  await expect(gate.pass(work)).rejects.toMatchObject({ code: "resource_exhausted", reason: "QUERIES_BUSY" });
  dones.forEach(done => done());
  await Promise.all(first);
  await gate.pass(() => Promise.resolve());
  await expect(gate.pass(() => Promise.reject(new Error("a")))).rejects.toThrow("a");
  expect(await Promise.all([1, 2].map(one => gate.pass(() => Promise.resolve(one))))).toEqual([1, 2]);
});
