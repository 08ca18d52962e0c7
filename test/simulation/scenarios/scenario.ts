import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { ContainerSpec, DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Location } from "@skep/core/model/instance.ts";
import { aContainer, aSpec } from "@skep/core/testing/builders.ts";
import type { MigrationTimes } from "@skep/core/workspace/migration-state.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import { Edge } from "../edge.ts";
import { createHosting } from "../hosting/hosting.ts";
import { beginLife, createPlatform, endLife, type Platform } from "../platform.ts";
import { startAgent, startScheduler } from "../processes.ts";
import { routesOf } from "../routes.ts";
import type { SimNode } from "../sim-node.ts";
import type { Outcome } from "../simulate.ts";
import { setWeather } from "../weather.ts";

/**
 * One thing that happens to the fleet, told from beginning to end: nothing in it is drawn. Every
 * rule watches it as it watches a seed, and it says by `hold` what else must be so.
 */
export interface Scenario {
  /** Short and unique, in kebab-case. */
  readonly name: string;
  /** Whether the leader gives workspaces their hosts. */
  readonly isHosting?: true;
  /** How long the stages of a move may take; absent where no workspace moves. */
  readonly moveTimes?: MigrationTimes;
  play(stage: Stage): Promise<void>;
}

/** The fleet and what a scenario does with it. */
export interface Stage {
  readonly platform: Platform;
  readonly store: Store;
  advance(ms: number): Promise<void>;
  /** Goes on until it holds, at most so long, and calls it broken where it does not. */
  until(holds: () => boolean, withinMs: number, sentence: string): Promise<void>;
  /** What must hold now. */
  hold(holds: boolean, sentence: string): void;
  /** Waits for an answer on the virtual clock. */
  done<T>(call: Promise<T>): Promise<T>;
  create(tenantId: string, spec: DeploymentSpec): Promise<void>;
  change(id: string, change: DeploymentChange): Promise<void>;
  startSchedulers(): void;
  stopSchedulers(): void;
  startAgent(node: SimNode): void;
  stopAgent(node: SimNode): void;
  /** The scheduler that leads. */
  leader(): string;
  /** What runs, as `instance@epoch`. */
  running(): readonly string[];
  /** The node that runs something of the deployment. */
  homeOf(deploymentId: string): SimNode;
  rowsOf(deploymentId: string): readonly Location[];
}

/** A deployment of one container with one port; `over` changes the container, `spec` the rest. */
export function web(name: string, over: Partial<ContainerSpec> = {}, spec: Partial<DeploymentSpec> = {}) {
  const ports = [{ containerPort: 8080, protocol: "tcp" as const, hostPort: undefined }];
  return aSpec({ name, containers: [aContainer({ name: "app", image: "web:1", ports, ...over })], ...spec });
}

/** Keeps everything of a deployment on the first node. */
export const PINNED: Partial<DeploymentSpec> = {
  placement: { ...aSpec().placement, constraints: ["node.hostname == host-1"] },
};

const QUOTA = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

/** Plays a scenario on a fleet of its own that is up and has two tenants. */
export async function playScenario(
  { name, isHosting, moveTimes, play }: Scenario,
  echo?: (line: string) => void,
): Promise<Outcome> {
  const platform = createPlatform(1, echo);
  if (isHosting) createHosting(platform, moveTimes);
  setWeather(platform);
  const stage = stageOf(platform);
  stage.startSchedulers();
  for (const node of platform.nodes) stage.startAgent(node);
  platform.edges.push(new Edge(platform, "edge-1"), new Edge(platform, "edge-2"));
  for (const edge of platform.edges) void edge.run();
  for (const id of ["acme", "globex"])
    await stage.done(stage.store.createTenant({ id, quota: QUOTA }, { actor: "user", idempotencyKey: undefined }));
  await stage.advance(8_000);
  platform.say(`SCENARIO ${name}`);
  await play(stage).catch((error: unknown) => platform.violate(`the scenario itself failed: ${String(error)}`));
  const violation = platform.violation();
  return {
    ...{ seed: 0, violation, hash: platform.trace.hash(), events: platform.trace.count(), recoveredMs: 0 },
    trace: violation === undefined ? [] : platform.trace.last(4_000),
  };
}

function stageOf(platform: Platform): Stage {
  const { clock, database, nodes, schedulers } = platform;
  const store = database.connect("user");
  const request = { actor: "user", idempotencyKey: undefined };
  const done = async <T>(call: Promise<T>): Promise<T> => {
    let isDone = false;
    const end = (): void => void (isDone = true);
    call.then(end, end);
    if (!(await clock.runUntil(() => isDone, 60_000))) throw new Error("a call was not answered within a minute");
    return call;
  };
  const hold = (holds: boolean, sentence: string): void => {
    if (!holds) platform.violate(sentence);
  };
  const isBroken = (): boolean => platform.violation() !== undefined;
  return {
    platform,
    store,
    advance: async ms => void (await clock.runUntil(isBroken, ms)),
    until: async (holds, withinMs, sentence) => {
      await clock.runUntil(() => isBroken() || holds(), withinMs);
      hold(holds(), sentence);
    },
    hold,
    done,
    create: async (tenantId, spec) =>
      void (await done(store.createDeployment(tenantId, spec, routesOf(tenantId, spec), request, clock.now()))),
    change: async (id, change) =>
      void (await done(store.changeDeployment(id, change, undefined, request, clock.now()))),
    startSchedulers: () => schedulers.forEach(name => startScheduler(platform, name, beginLife(platform, name))),
    stopSchedulers: () => schedulers.forEach(name => endLife(platform, name)),
    startAgent: node => startAgent(platform, node, beginLife(platform, node.id)),
    stopAgent: node => endLife(platform, node.id),
    leader: () => schedulers.find(name => database.records.lease?.holder.startsWith(`${name}_`)) ?? "",
    running: () => nodes.flatMap(node => node.running().map(one => `${one.instanceId}@${one.epoch}`)).toSorted(),
    homeOf: id => {
      const node = nodes.find(one => one.running().some(({ instanceId }) => instanceId.startsWith(`${id}.`)));
      if (node === undefined) throw new Error(`nothing of ${id} runs`);
      return node;
    },
    rowsOf: id => [...database.records.locations.values()].filter(one => one.deploymentId === id),
  };
}
