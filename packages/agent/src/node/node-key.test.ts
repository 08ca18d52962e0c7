import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicKeyOf } from "@skep/kit/nats-keys.ts";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keepNodeKey } from "./node-key.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "skep-key-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

it("is made once per node and kept where nobody else reads it", async () => {
  const seed = await keepNodeKey(join(dir, "state"), "n1");
  expect(publicKeyOf(seed)).toMatch(/^U/);
  expect(await keepNodeKey(join(dir, "state"), "n1")).toBe(seed);
  expect(await keepNodeKey(join(dir, "state"), "n2")).not.toBe(seed);
  expect((await stat(join(dir, "state", "node-n1.key"))).mode & 0o777).toBe(0o600);
});
