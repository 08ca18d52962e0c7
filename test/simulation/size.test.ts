import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import { afterEach, expect, test, vi } from "vitest";
import { createPlatform, beginLife, endLife, type Platform } from "./platform.ts";
import { startAgent, startScheduler } from "./processes.ts";
import { setWeather } from "./weather.ts";

vi.setConfig({ testTimeout: 120_000 });

const UNBOUND = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };
const env = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`BIG_${at}`, "x".repeat(25_000)]));
let platform: Platform;

async function open(maxPayload: number): Promise<ReturnType<Platform["database"]["connect"]>> {
  platform = createPlatform(1);
  setWeather(platform);
  platform.network.setMaxPayload(maxPayload);
  for (const name of platform.schedulers) startScheduler(platform, name, beginLife(platform, name));
  for (const node of platform.nodes) startAgent(platform, node, beginLife(platform, node.id));
  const store = platform.database.connect("user");
  for (const id of ["acme", "globex"]) void store.createTenant({ id, quota: UNBOUND }, request());
  await platform.clock.advance(10_000);
  return store;
}

afterEach(() => {
  for (const name of platform.lives.keys()) endLife(platform, name);
});

let keys = 0;
const request = () => ({ actor: "user", idempotencyKey: `key-${++keys}` });

/** Some 1.75 MB that validation lets pass. */
function fat(name: string, node = 1): DeploymentSpec {
  const containers = Array.from({ length: 7 }, (_, at) => aContainer({ name: `c${at}`, image: "web:1", env }));
  return onNode(aSpec({ name, replicas: 1, containers }), node);
}

function slim(name: string): DeploymentSpec {
  return onNode(aSpec({ name, replicas: 1, containers: [aContainer({ image: "web:1" })] }), 1);
}

function onNode(spec: DeploymentSpec, node: number): DeploymentSpec {
  return { ...spec, placement: { ...spec.placement, constraints: [`node.hostname == host-${node}`] } };
}

const running = (): string[] => [...new Set(platform.nodes[0]!.running().map(one => one.instanceId))].toSorted();

test("specs that no message could carry together harm nobody, and run", async () => {
  const store = await open(512 * 1024);
  const now = platform.clock.now();
  void store.createDeployment("acme", slim("fine"), [], request(), now);
  for (let at = 1; at <= 5; at++) void store.createDeployment("globex", fat(`fat${at}`), [], request(), now);
  await platform.clock.advance(60_000);
  const fats = [1, 2, 3, 4, 5].map(at => `globex.fat${at}.1`);
  expect(running()).toEqual(["acme.fine.1", ...fats]);
  void store.createDeployment("acme", slim("later"), [], request(), platform.clock.now());
  void store.changeDeployment("acme.fine", { desired: "deleted" }, undefined, request(), platform.clock.now());
  await platform.clock.advance(20_000);
  expect(running()).toEqual(["acme.later.1", ...fats]);
  expect(platform.violation()).toBeUndefined();
});
