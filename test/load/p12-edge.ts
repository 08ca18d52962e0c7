import { setTimeout as sleep } from "node:timers/promises";
import { askEdge } from "../swarm/edge-client.ts";
import { insist } from "./insist.ts";
import type { Measurement } from "./measurement.ts";
import { startSwarmEdge, SWARM_EDGE_NETWORK, SWARM_EDGE_PORT } from "./p12-swarm-edge.ts";
import { sharedPlatform, type Platform } from "./platform.ts";
import { duration, significant, type Result } from "./result.ts";
import { median, quantile } from "./statistics.ts";
import { createService, listContainers, removeServices, startedAt, untilGone } from "./swarm-services.ts";

const P99_GOAL_MS = 1_000;
const RATIO_GOAL = 0.2;
const PER_ROUND = 6;
const POLL_MS = 10;
/** No multiple of Traefik's poll of 15 s, so that services begin at different moments of it. */
const SPREAD_MS = 2_300;

/** From the start of a container's process until its domain answers 200 through Traefik. */
export const p12: Measurement = {
  name: "P12",
  title: "running to the first 200 through Traefik, against Traefik's own Swarm provider at its default poll",
  run: async bench => {
    const platform = await sharedPlatform(bench);
    await startSwarmEdge(platform, bench.defer);
    const seen = { ours: [] as number[], swarm: [] as number[] };
    let serial = 0;
    for (let round = -1; round < bench.rounds(5); round++) {
      const count = round < 0 ? 1 : PER_ROUND;
      const next = (): readonly string[] => Array.from({ length: count }, () => `edge${++serial}`);
      const ours = await spread(next(), name => viaSkep(platform, name));
      const swarm = await spread(next(), name => viaSwarm(platform, name));
      // The first of each is a warm-up.
      if (round < 0) continue;
      seen.ours.push(...ours);
      seen.swarm.push(...swarm);
    }
    for (const [name, samples] of Object.entries(seen))
      bench.say(
        `${name}: p50 ${duration(median(samples))}, p99 ${duration(quantile(samples, 0.99))}, worst ${duration(Math.max(...samples))}, ${samples.length} samples`,
      );
    bench.say(`ratio of p50: ${significant(median(seen.ours) / median(seen.swarm))}`);
    return judge(quantile(seen.ours, 0.99), quantile(seen.swarm, 0.99));
  },
};

function judge(ours: number, baseline: number): Result {
  const ratio = ours / baseline;
  const holds = ours <= P99_GOAL_MS && ratio <= RATIO_GOAL;
  return {
    value: `p99:${duration(ours)}`,
    baseline: `swarm-provider-p99:${duration(baseline)}`,
    ratio,
    goal: `p99<=${duration(P99_GOAL_MS)},<=${RATIO_GOAL}`,
    holds,
    because: holds
      ? undefined
      : "The way is: the agent's report, the routes' next view, Traefik's poll of 250 ms and its throttle of 100 ms; what is above their sum is cpu that the engines and the edges wait for on this machine.",
  };
}

/** Begins one after the other at a distance, and answers what each took. */
async function spread(names: readonly string[], one: (name: string) => Promise<number>): Promise<readonly number[]> {
  const begun: Promise<number>[] = [];
  for (const name of names) {
    begun.push(one(name));
    await sleep(SPREAD_MS);
  }
  return Promise.all(begun);
}

async function viaSkep(platform: Platform, name: string): Promise<number> {
  const { client, images, manager } = platform;
  const labels = { "traefik.enable": "true", [`traefik.http.routers.${name}.rule`]: `Host(\`${name}.test\`)` };
  const containers = [{ name: "app", image: images["go-httpbin"], ports: [{ containerPort: 8080 }], labels }];
  const spec = { name, containers, stopGraceMs: 500 };
  await insist(() => client.deployments.createDeployment({ tenantId: "default", spec, idempotencyKey: name }));
  const answeredAt = await firstAnswer(manager.address, 80, `${name}.test`);
  const tookMs = answeredAt - (await startOf(platform, "skep.deployment", `default.${name}`));
  await insist(() =>
    client.deployments.deleteDeployment({ deploymentId: `default.${name}`, idempotencyKey: `${name} end` }),
  );
  await untilGone(platform, "skep.deployment", new Set([`default.${name}`]));
  return tookMs;
}

async function viaSwarm(platform: Platform, name: string): Promise<number> {
  const labels = {
    "traefik.enable": "true",
    [`traefik.http.routers.${name}.rule`]: `Host(\`${name}.test\`)`,
    [`traefik.http.services.${name}.loadbalancer.server.port`]: "8080",
  };
  const image = platform.images["go-httpbin"];
  await createService(platform, { name, image, labels, network: SWARM_EDGE_NETWORK });
  const answeredAt = await firstAnswer(platform.manager.address, SWARM_EDGE_PORT, `${name}.test`);
  const tookMs = answeredAt - (await startOf(platform, "com.docker.swarm.service.name", name));
  await removeServices(platform, [name]);
  return tookMs;
}

/** When the edge first answered 200 for the domain; each try is a connection of its own. */
async function firstAnswer(address: string, port: number, host: string): Promise<number> {
  const deadlineAt = Date.now() + 120_000;
  for (;;) {
    const { status } = await askEdge(address, host, "/status/200", 2_000, port);
    if (status === 200) return Date.now();
    if (Date.now() > deadlineAt)
      throw new Error(`${host} did not answer at port ${port} within 2 minutes; last status ${status}`);
    await sleep(POLL_MS);
  }
}

async function startOf(platform: Platform, label: string, value: string): Promise<number> {
  const found = (await listContainers(platform, label)).find(one => one.Labels[label] === value);
  if (found === undefined) throw new Error(`no engine has a container with ${label}=${value}`);
  return startedAt(found);
}
