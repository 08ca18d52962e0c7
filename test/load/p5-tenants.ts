import { Strategy } from "@skep/sdk/index.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { insist } from "./insist.ts";
import type { Measurement } from "./measurement.ts";
import { sharedPlatform, type Platform } from "./platform.ts";
import { removeRaw, startRaw } from "./raw-containers.ts";
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
/**
 * Also shown: services that cannot reach each other, as tenants cannot, each on an overlay network
 * of its own.
 */
const APART = "swarm, a network each";
/**
 * And what the engines alone take, with nobody who decides, records or watches: nothing that uses
 * them can be faster.
 */
const RAW = "engines alone";
const RAW_APART = "engines alone, a bridge each";
const COMMAND = ["sleep", "2147483647"];

/**
 * Fifty tenants of one container each, from the first request until all run, against fifty Swarm
 * services.
 */
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
        [RAW]: () => raw(platform, ++batch, false),
        [RAW_APART]: () => raw(platform, ++batch, true),
      },
      true,
    );
    for (const [name, samples] of Object.entries(seen))
      bench.say(`${name}: median ${duration(median(samples))}, worst ${duration(worst(samples, "lower"))}`);
    bench.say(`ratio by round: ${ratios(seen.ours, seen.swarm).map(significant).join(", ")}`);
    const beside = { apart: median(seen[APART]), raw: median(seen[RAW]), rawApart: median(seen[RAW_APART]) };
    return judge(median(seen.ours), median(seen.swarm), beside);
  },
};

function judge(ours: number, baseline: number, beside: Readonly<Record<"apart" | "raw" | "rawApart", number>>): Result {
  const ratio = ours / baseline;
  const holds = ratio <= GOAL;
  const told = (ms: number, base: number): string => `${duration(ms)} (${significant(ms / base)})`;
  return {
    value: duration(ours),
    baseline: `swarm:${duration(baseline)}`,
    ratio,
    goal: `<=${GOAL}`,
    holds,
    because: holds
      ? undefined
      : `The engines alone, asked for the same containers with nothing in between, take ${told(beside.raw, baseline)} on the cores that they share here, and with a bridge per tenant, as ours have, ${told(beside.rawApart, baseline)}: they write the firewall rules of each bridge one by one. The services of the baseline share one bridge and reach each other; with a network each, Swarm takes ${duration(beside.apart)}, of which ours are ${significant(ours / beside.apart)}. Engines with cores of their own would change it, or ones that write a bridge's rules at once.`,
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

/**
 * A tenant can go when the last record of its deployment is gone, a moment after its containers.
 */
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

async function raw(platform: Platform, batch: number, isApart: boolean): Promise<number> {
  const names = namesOf(batch);
  const begunAt = performance.now();
  await startRaw(platform, names, { image: platform.images.busybox, command: COMMAND, isApart });
  const ms = performance.now() - begunAt;
  await removeRaw(platform, names, isApart);
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
