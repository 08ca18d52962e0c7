import { createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "./child.ts";

it("answers ports that no outgoing connection gets, and none twice in a row", async () => {
  const ports = await Promise.all(Array.from({ length: 10 }, freePort));
  expect(new Set(ports).size).toBe(10);
  expect(Math.max(...ports)).toBeLessThan(32_768);
});

it("passes over a port that somebody listens on", async () => {
  const first = await freePort();
  const server = createServer();
  await new Promise<void>(resolve => server.listen(first + 1, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const seen = [];
  for (let tries = 0; tries < 40; tries += 1) seen.push(await freePort());
  expect(seen).not.toContain(first + 1);
});
