import { createRecordingLog } from "@skep/kit/log.ts";
import { createMemoryNetwork, type MemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createIdSource, seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock, type VirtualClock } from "@skep/kit/virtual-clock.ts";
import type { AgentDeps } from "../agent-deps.ts";
import { createAgent, type Agent } from "../create-agent.ts";
import { MemoryEngine, type MemoryEngineOptions } from "../engine/memory.ts";
import { createMemoryEnder } from "../guard/memory-ender.ts";
import { createMemoryGuard, type MemoryGuard } from "../guard/memory-guard.ts";
import { createMemoryJournal, type Journal } from "../loop/journal.ts";
import { createMemoryMemo } from "../loop/memo.ts";
import { noRegistries } from "../loop/registry-auth.ts";
import { noSampler } from "../node/sampler.ts";
import { fakeScheduler, type FakeScheduler } from "./fake-scheduler.ts";
import { someFacts } from "./facts.ts";
import { createMortal, type Mortal } from "./mortal.ts";

/** One agent on twins, and a scheduler that a test plays. */
export interface Rig {
  readonly clock: VirtualClock;
  readonly engine: MemoryEngine;
  readonly network: MemoryNetwork;
  readonly scheduler: FakeScheduler;
  readonly journal: Journal;
  /** The guard of the agent's present life. */
  readonly guard: MemoryGuard;
  readonly lines: ReturnType<typeof createRecordingLog>["lines"];
  agent: Agent;
  /** Ends the agent's process as kill -9 does. */
  kill(): void;
  /** Starts a new process of the agent on the same engine and journal. */
  revive(): Promise<void>;
  /** Names of the containers that run, sorted. */
  running(): string[];
}

/** Puts a rig together and starts the agent; the images `box` and `pause` are in its registry. */
export async function openRig(
  over: Partial<MemoryEngineOptions> = {},
  agentOver: Partial<AgentDeps> = {},
): Promise<Rig> {
  const clock = createVirtualClock(1_700_000_000_000);
  const network = createMemoryNetwork(clock);
  const engine = new MemoryEngine({ clock, facts: someFacts(), registry: new Set(["box", "pause"]), ...over });
  const journal = createMemoryJournal();
  const healthyMemo = createMemoryMemo();
  const imagesMemo = createMemoryMemo();
  const directoryMemo = createMemoryMemo();
  const log = createRecordingLog();
  let lives = 0;
  let mortal: Mortal;
  let guard: MemoryGuard;
  const makeAgent = (): Agent => {
    const random = seededRandom(++lives);
    mortal = createMortal({ clock, engine, journal, healthyMemo });
    guard = createMemoryGuard({ ender: createMemoryEnder(engine), clock, log });
    const ports = { ...mortal, log, guard, imagesMemo, directoryMemo, registries: noRegistries, sampler: noSampler };
    return createAgent({
      ...ports,
      random,
      ids: createIdSource(random),
      bus: network.connect("agent"),
      machineBootId: "boot",
      sandboxImage: "pause",
      agentVersion: "0",
      prober: async () => ({ ok: true, answered: true, detail: "" }),
      limits: { portFrom: 20_000, portTo: 20_999, maxInstances: 10 },
      startLimit: undefined,
      ...agentOver,
    });
  };
  const rig: Rig = {
    clock,
    engine,
    network,
    journal,
    lines: log.lines,
    get guard() {
      return guard;
    },
    scheduler: fakeScheduler(network.connect("scheduler")),
    agent: makeAgent(),
    kill: () => {
      mortal.kill();
      network.crash("agent");
    },
    revive: async () => {
      rig.agent = makeAgent();
      await settle(rig, rig.agent.start());
    },
    running: () =>
      engine
        .containers()
        .filter(one => one.state === "running")
        .map(one => one.name)
        .sort(),
  };
  await settle(rig, rig.agent.start());
  return rig;
}

/** Lets virtual time pass until the promise ends. */
export async function settle<T>(rig: Pick<Rig, "clock">, promise: Promise<T>, withinMs = 600_000): Promise<T> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  promise.then(end, end);
  await rig.clock.runUntil(() => ended, withinMs);
  if (!ended) throw new Error(`what was waited for did not end within ${withinMs} virtual ms`);
  return promise;
}
