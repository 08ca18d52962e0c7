import { aContainer, aSpec } from "@skep/agent/testing/builders.ts";
import { openRig, settle } from "@skep/agent/testing/rig.ts";
import { routesFromSpec } from "@skep/core/routing/labels.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { createIdSource, seededRandom } from "@skep/kit/random.ts";
import { createScheduler } from "@skep/scheduler/create-scheduler.ts";
import { createMemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { expect, it } from "vitest";

const probe = { kind: "http", port: 80, path: "/up" } as const;
const spec = aSpec({
  containers: [
    aContainer({
      image: "box",
      ports: [{ containerPort: 80, protocol: "tcp", hostPort: undefined }],
      labels: { "traefik.http.routers.web.rule": "Host(`web.example.com`)" },
      health: { probe, intervalMs: 5_000, timeoutMs: 2_000, retries: 2, startPeriodMs: 0 },
    }),
  ],
});

/** A whole agent and a whole scheduler; probes take 500 ms and answer as the test says. */
async function start() {
  let answers = true;
  const rig = await openRig(
    { images: ["box", "pause"] },
    {
      prober: async () => {
        await rig.clock.sleep(500);
        return { ok: answers, answered: true, detail: answers ? "" : "refused" };
      },
    },
  );
  rig.network.cut("scheduler");
  const random = seededRandom("restart");
  const store = createMemoryDatabase(rig.clock).connect("s1");
  const scheduler = createScheduler({
    store,
    bus: rig.network.connect("s1"),
    clock: rig.clock,
    log: createRecordingLog(),
    random,
    ids: createIdSource(random),
    settings: DEFAULT_SETTINGS,
    name: "s1",
    version: "0",
  });
  scheduler.start();
  const isRouted = (): boolean => scheduler.routes.current()?.includes("http://10.0.0.1:") === true;
  const someone = { actor: "someone", idempotencyKey: undefined };
  await rig.clock.advance(5_000);
  await store.createTenant(aTenant(), someone);
  const { routes } = routesFromSpec("acme", "acme.web", spec);
  await store.createDeployment("acme", spec, routes, someone, rig.clock.now());
  expect(await rig.clock.runUntil(isRouted, 20_000)).toBe(true);
  return { rig, isRouted, setAnswers: (value: boolean) => void (answers = value) };
}

it("a restart of the agent leaves what it probes in the routes", async () => {
  const { rig, isRouted } = await start();
  rig.kill();
  await rig.clock.advance(300);
  await rig.revive();
  expect(await rig.clock.runUntil(() => !isRouted(), 15_000)).toBe(false);
});

it("what fell ill while the agent was away is unrouted once its probes have failed", async () => {
  const { rig, isRouted, setAnswers } = await start();
  rig.kill();
  setAnswers(false);
  await rig.revive();
  expect(await rig.clock.runUntil(() => !isRouted(), 15_000)).toBe(true);
});

it("a container that was started anew while the agent was away is routed only once it has answered", async () => {
  const { rig, isRouted, setAnswers } = await start();
  rig.kill();
  setAnswers(false);
  const [container] = rig.engine.containers();
  await settle(rig, rig.engine.stop(container?.id ?? "", 0));
  await settle(rig, rig.engine.start(container?.id ?? ""));
  await rig.revive();
  expect(await rig.clock.runUntil(() => !isRouted(), 2_000)).toBe(true);
  expect(await rig.clock.runUntil(isRouted, 3_000)).toBe(false);
  setAnswers(true);
  expect(await rig.clock.runUntil(isRouted, 3_000)).toBe(true);
});
