import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createCgroupSampler } from "./cgroup.ts";
import { cpuMillisBetween } from "./sampler.ts";

const id = "ab".repeat(32);
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "skep-cgroup-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

test("reads version 1, under whatever parent the engine was given", async () => {
  await put(`cpuacct/fleet/node-1/${id}/cpuacct.usage`, "2000000\n");
  await put(`memory/fleet/node-1/${id}/memory.usage_in_bytes`, "1000\n");
  await put(`memory/fleet/node-1/${id}/memory.stat`, "cache 5\ninactive_file 1\ntotal_inactive_file 300\n");
  const sampler = createCgroupSampler(root, root);
  expect(sampler.container(id)).toEqual({ cpuMicros: 2_000, memoryBytes: 700 });
  await put(`cpuacct/fleet/node-1/${id}/cpuacct.usage`, "4000000\n");
  expect(sampler.container(id)?.cpuMicros).toBe(4_000);
  sampler.close();
});

test("reads version 2, in systemd's words", async () => {
  await put("cgroup.controllers", "cpu memory\n");
  await put(`system.slice/docker-${id}.scope/cpu.stat`, "usage_usec 77\nuser_usec 50\n");
  await put(`system.slice/docker-${id}.scope/memory.current`, "1000\n");
  await put(`system.slice/docker-${id}.scope/memory.stat`, "anon 1\ninactive_file 400\n");
  const sampler = createCgroupSampler(root, root);
  expect(sampler.container(id)).toEqual({ cpuMicros: 77, memoryBytes: 600 });
  sampler.keep(new Set());
  expect(sampler.container("cd".repeat(32))).toBeUndefined();
  sampler.close();
});

test("the node's load is what happened between two looks", async () => {
  await put("stat", "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n");
  await put("meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    250 kB\n");
  const sampler = createCgroupSampler(root, root);
  expect(sampler.load()).toBeUndefined();
  await put("stat", "cpu  200 0 200 1000 0 0 0 0 0 0\n");
  expect(sampler.load()).toEqual({ cpuShare: 0.5, memoryShare: 0.75 });
});

test("a machine without these files is simply not measured", () => {
  const sampler = createCgroupSampler(join(root, "nowhere"), join(root, "nowhere"));
  expect(sampler.container(id)).toBeUndefined();
  expect(sampler.load()).toBeUndefined();
});

test("half a second of cpu in a second is half a core", () => {
  expect(cpuMillisBetween({ cpuMicros: 0, at: 0 }, { cpuMicros: 500_000, at: 1_000 })).toBe(500);
  expect(cpuMillisBetween(undefined, { cpuMicros: 5, at: 1 })).toBeUndefined();
});
