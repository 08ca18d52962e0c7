import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import { encodeWake } from "@skep/api/codec/notice.ts";
import { SUBJECTS } from "@skep/api/subjects.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { Dependency, DeploymentSpec } from "@skep/core/model/deployment.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { Request } from "@skep/scheduler/store/request.ts";
import type { Platform } from "../platform.ts";
import { insist } from "../users.ts";
import type { Chance } from "../chance.ts";
import { JOB_IMAGE, RESTART_DELAY_MS } from "../workload.ts";

/** In how many seeds a tenant has a project whose deployments wait for each other. */
export interface OrderShares {
  /** None by default. */
  readonly order?: number;
}

/** The tenant of the projects; its names are nobody else's. */
const TENANT = "order";

/**
 * Its deployments: a database, a migration that needs it, a program that needs both, an agent on
 * each node, and a job on each node.
 */
const NAMES = ["store", "migrate", "site", "watcher", "sweep"] as const;

/** Draws whether a seed has a project, by chance of its own. */
export function hasProject(platform: Platform, { order = 0 }: OrderShares): boolean {
  return platform.chance("order").happens(order);
}

/** Deploys the project, then changes one part of it after another until `done`. */
export async function liveAsProject(platform: Platform, done: () => boolean): Promise<void> {
  const chance = platform.chance("project");
  const store = platform.database.connect("project");
  const bus = platform.network.connect("project");
  let serial = 0;
  const ask = async (say: string, call: (request: Request) => Promise<unknown>): Promise<void> => {
    const request: Request = { actor: "project", idempotencyKey: `project-${++serial}` };
    await insist(platform, say, () => call(request));
    bus.publish(SUBJECTS.wake, encodeWake("a project's wish"));
  };
  const quota = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };
  await ask(`tenant ${TENANT}`, request => store.createTenant({ id: TENANT, quota }, request));
  // What is waited for may come later than what waits for it.
  for (const name of chance.happens(0.5) ? NAMES : NAMES.toReversed()) {
    await ask(`WISH create ${TENANT}.${name}`, request =>
      store.createDeployment(TENANT, specOf(name, chance), [], request, platform.clock.now()),
    );
    await platform.clock.sleep(chance.between(10, 1_500));
  }
  while (!done()) {
    await platform.clock.sleep(chance.between(2_000, 8_000));
    if (done()) break;
    const name = chance.pick(NAMES);
    const id = deploymentIdOf(TENANT, name);
    const change = drawChange(name, chance);
    await ask(`WISH ${JSON.stringify(change).slice(0, 80)} ${id}`, request =>
      store.changeDeployment(id, change, undefined, request, platform.clock.now()),
    );
  }
  // A person who leaves wants all of it: what waits for what is stopped would wait for ever.
  for (const name of NAMES) {
    const id = deploymentIdOf(TENANT, name);
    await ask(`WISH run ${id}`, request =>
      store.changeDeployment(id, { desired: "run" }, undefined, request, platform.clock.now()),
    );
  }
}

function drawChange(name: (typeof NAMES)[number], chance: Chance): DeploymentChange {
  const dice = chance.whole(1, 100);
  if (dice <= 35) return { restart: true };
  if (dice <= 55) return { spec: specOf(name, chance) };
  return { desired: dice <= 75 ? "stopped" : "run" };
}

function specOf(name: (typeof NAMES)[number], chance: Chance): DeploymentSpec {
  const isJob = name === "migrate" || name === "sweep";
  const isGlobal = name === "watcher" || name === "sweep";
  const maxConcurrent = isJob && !isGlobal && chance.happens(0.5) ? 1 : undefined;
  return aSpec({
    name,
    mode: isGlobal ? (isJob ? "global-job" : "global") : isJob ? "replicated-job" : "replicated",
    replicas: name === "site" ? chance.whole(1, 3) : name === "migrate" ? chance.whole(1, 3) : 1,
    job: maxConcurrent === undefined ? undefined : { maxConcurrent },
    containers: [aContainer({ image: isJob ? JOB_IMAGE : "web:1" })],
    dependsOn: waitsOf(name, chance),
    restart: { condition: isJob ? "on-failure" : "any", delayMs: RESTART_DELAY_MS, maxDelayMs: 2_000 },
    // As decide has it for jobs, so that the rules read the same.
    update: {
      order: isJob ? "stop-first" : chance.pick(["start-first", "stop-first"]),
      parallelism: isJob ? (maxConcurrent ?? 0) : 1,
    },
    stopGraceMs: 2_000,
  });
}

function waitsOf(name: (typeof NAMES)[number], chance: Chance): readonly Dependency[] {
  const store: Dependency = { name: "store", condition: chance.pick(["started", "healthy"]), required: true };
  if (name === "migrate") return [store];
  return name === "site" ? [store, { name: "migrate", condition: "completed", required: true }] : [];
}
