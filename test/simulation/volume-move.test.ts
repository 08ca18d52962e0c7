import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import { expect, it, vi } from "vitest";
import { beginLife, createPlatform, type Platform } from "./platform.ts";
import { startAgent, startScheduler } from "./processes.ts";
import { setWeather } from "./weather.ts";

vi.setConfig({ testTimeout: 120_000 });

const UNBOUND = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };
const DATA = { name: "data", target: "/data", readOnly: false };

/** A fleet without faults, with tenant acme. */
async function start(): Promise<{ platform: Platform; store: Store; done: <T>(work: Promise<T>) => Promise<T> }> {
  const platform = createPlatform(1);
  setWeather(platform);
  for (const name of platform.schedulers) startScheduler(platform, name, beginLife(platform, name));
  for (const node of platform.nodes) startAgent(platform, node, beginLife(platform, node.id));
  const store = platform.database.connect("user");
  const done = async <T>(work: Promise<T>): Promise<T> => {
    let ended = false;
    const end = (): void => void (ended = true);
    work.then(end, end);
    await platform.clock.runUntil(() => ended, 60_000);
    return work;
  };
  await done(store.createTenant({ id: "acme", quota: UNBOUND }, { actor: "user", idempotencyKey: undefined }));
  await platform.clock.advance(10_000);
  return { platform, store, done };
}

it.each([
  ["a database with a volume stays on its node over a restart and a drain", undefined],
  ["an exclusive instance moves off a drained node", true],
])("%s, and never two copies run", async (_, exclusive) => {
  const { platform, store, done } = await start();
  const { clock, swarm } = platform;
  const request = { actor: "user", idempotencyKey: undefined };
  const volumes = exclusive === undefined ? [DATA] : [];
  const spec = aSpec({ name: "db", exclusive, containers: [aContainer({ image: "web:1", volumes })] });
  await done(store.createDeployment("acme", spec, [], request, clock.now()));
  let most = 0;
  const copies = () =>
    platform.nodes.flatMap(node => node.running()).filter(one => one.instanceId.startsWith("acme.db"));
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      await clock.advance(10);
      most = Math.max(most, copies().length);
    }
  };
  await pass(10_000);
  const home = copies()[0]!.nodeId;
  await done(store.changeDeployment("acme.db", { restart: true }, undefined, request, clock.now()));
  await pass(20_000);
  expect(copies().length).toBe(1);
  if (exclusive === undefined) expect(copies()[0]!.nodeId).toBe(home);
  const from = copies()[0]!.nodeId;
  swarm.set(from, { ...swarm.get(from)!, availability: "drain", versionIndex: 100 });
  await pass(20_000);
  expect(copies().length).toBe(1);
  expect(copies()[0]!.nodeId === from).toBe(exclusive === undefined);
  expect(most).toBe(1);
  expect(platform.violation()).toBeUndefined();
});
