import { Strategy } from "@skep/sdk/index.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { insist } from "./insist.ts";
import type { Measurement } from "./measurement.ts";
import { sharedPlatform, type Platform } from "./platform.ts";
import { duration, significant, type Result } from "./result.ts";
import { interleave, ratios } from "./rounds.ts";
import { median, worst } from "./statistics.ts";
import {
  createOverlay,
  createService,
  removeNetworks,
  removeServices,
  runningTasks,
  untilGone,
} from "./swarm-services.ts";

const GOAL = 0.8;
const TENANTS = 50;
const AT_ONCE = 8;
const POLL_MS = 100;
/** Also shown: services that cannot reach each other, as tenants cannot, each on an overlay network of its own. */
const APART = "swarm, a network each";
const COMMAND = ["sleep", "2147483647"];

/** Fifty tenants of one container each, from the first request until all run, against fifty Swarm services. */
export const p5: Measurement = {
  name: "P5",
  title: `${TENANTS} one-container tenants to running on three nodes, against ${TENANTS} services of Docker Swarm`,
  run: async bench => {
    const platform = await sharedPlatform(bench);
    let batch = 0;
    const seen = await interleave(
      bench.rounds(5),
      {
        ours: () => ours(platform, ++batch),
        swarm: () => swarm(platform, ++batch, false),
        [APART]: () => swarm(platform, ++batch, true),
      },
      true,
    );
    for (const [name, samples] of Object.entries(seen))
      bench.say(`${name}: median ${duration(median(samples))}, worst ${duration(worst(samples, "lower"))}`);
    bench.say(`ratio by round: ${ratios(seen.ours, seen.swarm).map(significant).join(", ")}`);
    return judge(median(seen.ours), median(seen.swarm), median(seen[APART]));
  },
};

function judge(ours: number, baseline: number, apart: number): Result {
  const ratio = ours / baseline;
  const holds = ratio <= GOAL;
  return {
    value: duration(ours),
    baseline: `swarm:${duration(baseline)}`,
    ratio,
    goal: `<=${GOAL}`,
    holds,
    because: holds
      ? undefined
      : `Starting a container is cpu work that both sides need alike, and the engines share this machine's cores. Ours also makes a bridge per tenant, and the engine writes its firewall rules one by one for each; the services of the baseline share one bridge and reach each other. With a network each, Swarm takes ${duration(apart)}: ${significant(ours / apart)}. Bridges that are made ahead would change it, or an engine that writes them at once.`,
  };
}

async function ours({ client, images, ...platform }: Platform, batch: number): Promise<number> {
  const names = namesOf(batch);
  const begunAt = performance.now();
  await inParallel(names, async tenantId => {
    await insist(() => client.tenants.createTenant({ tenantId, idempotencyKey: `${tenantId} tenant` }));
    const containers = [
      {
        name: "app",
        image: images.busybox,
        command: COMMAND,
        resources: { cpuMillis: 500, memoryBytes: 64n * 1024n * 1024n },
      },
    ];
    const spec = { name: "app", containers, stopGraceMs: 1, placement: { strategy: Strategy.LEAST_LOADED } };
    await insist(() => client.deployments.createDeployment({ tenantId, spec, idempotencyKey: `${tenantId} app` }));
  });
  await untilCount(TENANTS, async () => (await insist(() => client.platform.getStatus({}))).instances["running"] ?? 0);
  const ms = performance.now() - begunAt;
  await inParallel(
    names,
    async tenantId =>
      void (await insist(() =>
        client.deployments.deleteDeployment({ deploymentId: `${tenantId}.app`, idempotencyKey: `${tenantId} end` }),
      )),
  );
  await untilGone({ client, images, ...platform }, "skep.tenant", new Set(names));
  await inParallel(names, tenantId => removeTenant(client, tenantId));
  return ms;
}

/** A tenant can go when the last record of its deployment is gone, a moment after its containers. */
async function removeTenant(client: Platform["client"], tenantId: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.tenants.deleteTenant({ tenantId });
      return;
    } catch (cause) {
      if (attempt === 60) throw cause;
      await sleep(500);
    }
  }
}

async function swarm(platform: Platform, batch: number, isApart: boolean): Promise<number> {
  const names = namesOf(batch);
  const begunAt = performance.now();
  await inParallel(names, async name => {
    const wish = { name, image: platform.images.busybox, command: COMMAND };
    if (isApart) await createOverlay(platform, name);
    await createService(platform, isApart ? { ...wish, network: name } : wish);
  });
  await untilCount(TENANTS, () => runningTasks(platform, `load${batch}x`));
  const ms = performance.now() - begunAt;
  await removeServices(platform, names);
  if (isApart) await removeNetworks(platform, names);
  return ms;
}

function namesOf(batch: number): readonly string[] {
  return Array.from({ length: TENANTS }, (_, index) => `load${batch}x${index + 1}`);
}

async function inParallel(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  const waiting = [...names];
  const worker = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) await work(name);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

async function untilCount(wanted: number, count: () => Promise<number>): Promise<void> {
  const deadlineAt = performance.now() + 300_000;
  for (let seen = await count(); seen < wanted; seen = await count()) {
    if (performance.now() > deadlineAt) throw new Error(`only ${seen} of ${wanted} run after 5 minutes`);
    await sleep(POLL_MS);
  }
}
