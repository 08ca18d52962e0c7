import { OrderRule } from "./order/order-rule.ts";
import { VolumeRule } from "./volume-rule.ts";
import type { SwarmNodeView } from "@skep/agent/engine/engine.ts";
import { createMemoryJournal, type Journal } from "@skep/agent/loop/journal.ts";
import { createMemoryMemo, type Memo } from "@skep/agent/loop/memo.ts";
import { createMemoryNetwork, type MemoryNetwork } from "@skep/kit/memory-bus.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Random } from "@skep/kit/random.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { createVirtualClock, type VirtualClock } from "@skep/kit/virtual-clock.ts";
import type { Scheduler } from "@skep/scheduler/create-scheduler.ts";
import type { Records } from "@skep/scheduler/store/memory-records.ts";
import { createMemoryDatabase, type MemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import { Changes } from "./changes.ts";
import { createChance, type Chance } from "./chance.ts";
import { createDatabaseClock, type DatabaseClock } from "./database-clock.ts";
import type { Edge } from "./edge.ts";
import { EngineRule } from "./engine-rule.ts";
import type { Mischief } from "./faults.ts";
import type { Hosting } from "./hosting/hosting.ts";
import { createLife, type Life } from "./life.ts";
import { createSimNode, type SimNode } from "./sim-node.ts";
import { createTrace, type Trace } from "./trace.ts";
import { checkNow } from "./watch.ts";

/**
 * Everything that one seed runs: one clock, one network, one database, machines, and processes with
 * their lives.
 */
export interface Platform {
  readonly seed: number;
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly network: MemoryNetwork;
  readonly database: MemoryDatabase;
  /** Whether anything has changed that the rules judge. */
  readonly changes: Changes;
  readonly swarm: Map<string, SwarmNodeView>;
  readonly nodes: readonly SimNode[];
  readonly schedulers: readonly string[];
  /**
   * The present life of each process by its name: a scheduler's name, or a node's id for its agent.
   */
  readonly lives: Map<string, Life>;
  /** What each scheduler's edge listener serves right now. */
  readonly handles: Map<string, SchedulerHandle>;
  readonly edges: Edge[];
  /** The assignment that was last sent to each node, as bytes. */
  readonly told: Map<string, Uint8Array>;
  readonly journals: Map<string, Journal>;
  readonly healthyMemos: Map<string, Memo>;
  readonly volumeRule: VolumeRule;
  readonly orderRule: OrderRule;
  readonly engineRules: ReadonlyMap<string, EngineRule>;
  /** Lives of agents, by session, whose full report has landed. */
  readonly reported: Set<string>;
  /**
   * Nodes that got a vanished row back: what runs there is recorded, even where its room was given
   * away meanwhile.
   */
  readonly repaired: Set<string>;
  /**
   * Containers that do not answer their health checks though they run, with the time until which
   * they do not.
   */
  readonly unwell: Map<string, number>;
  /** When a peer last tried in vain to reach each node: nobody is called down unasked. */
  readonly unreached: Map<string, number>;
  /** Since when users want each deployment as they do. */
  readonly wantedSince: Map<string, { readonly word: string; readonly at: number }>;
  /** The lease as it was last seen to be taken. */
  lease: Records["lease"];
  /** The records as they were last judged. */
  judged: World | undefined;
  /** Whether other tables were put in place of the records. */
  wasReplaced: boolean;
  /** Nodes whose disk takes no journal. */
  readonly fullDisks: Set<string>;
  /** Nodes that no peer can reach although they run. */
  readonly isolated: Set<string>;
  /** How ports misbehave right now; `undefined` once all is well again. */
  mischief: Mischief | undefined;
  /** The hosts of workspaces and what they work on, where the leader has any to give them to. */
  hosting: Hosting | undefined;
  /** What a scenario does to single messages and calls, where nothing is drawn. */
  hindrance: Hindrance;
  /**
   * A source of chance for one purpose, apart from all others, so that one more draw here moves
   * nothing there.
   */
  random(purpose: string): Random;
  chance(purpose: string): Chance;
  say(line: string): void;
  /** Keeps the first violation; the run ends with it. */
  violate(sentence: string): void;
  violation(): string | undefined;
  /** By which leases and the times of the records go. */
  readonly databaseClock: DatabaseClock;
}

/** What is lost and delayed by hand. */
export interface Hindrance {
  /** Whether a message on this subject is lost. */
  readonly loses?: (subject: string) => boolean;
  /** How much longer a database call of this client takes. */
  readonly delaysMs?: (client: string, call: string) => number;
  /** How much longer a health check takes. */
  readonly probesMs?: number;
}

/**
 * A scheduler from outside, by the one thing that is asked of it without the bus or the database.
 */
export interface SchedulerHandle {
  readonly life: Life;
  /** What a person's requests to it work on. */
  readonly api: Scheduler["api"];
  /**
   * What its edge listener answers; `undefined` where it refuses, since its routes are too old or
   * not loaded.
   */
  answer(): string | undefined;
  /** The configuration that it serves: an empty one where it refuses. */
  current(): string;
}

/** The simulation's first moment. */
export const START_AT = Date.UTC(2030, 0, 1);

/** So little that large specs and the assignments of a full node come near it. */
const MAX_PAYLOAD = 32 * 1024;

/** Makes the machines and the rest of the world of one seed; no process runs yet. */
export function createPlatform(seed: number, echo?: (line: string) => void): Platform {
  const clock = createVirtualClock(START_AT, () => {
    const changed = changes.look();
    if (changed !== undefined) checkNow(platform, changed);
  });
  const trace = createTrace(START_AT, echo);
  const swarm = new Map<string, SwarmNodeView>();
  const nodes = [1, 2, 3, 4, 5].map(number => createSimNode(number, clock, swarm));
  const random = (purpose: string): Random => seededRandom(`${seed} ${purpose}`);
  const databaseClock = createDatabaseClock(clock);
  const database = createMemoryDatabase(databaseClock);
  const edges: Edge[] = [];
  const changes = new Changes(database, nodes, edges);
  const network = createMemoryNetwork(clock);
  network.setMaxPayload(MAX_PAYLOAD);
  let violation: string | undefined;
  const platform: Platform = {
    seed,
    clock,
    trace,
    network,
    database,
    changes,
    swarm,
    nodes,
    schedulers: ["scheduler-1", "scheduler-2", "scheduler-3"],
    lives: new Map(),
    handles: new Map(),
    edges,
    told: new Map(),
    journals: new Map(nodes.map(node => [node.id, createMemoryJournal()])),
    healthyMemos: new Map(nodes.map(node => [node.id, createMemoryMemo()])),
    volumeRule: new VolumeRule(),
    orderRule: new OrderRule(),
    engineRules: new Map(nodes.map(node => [node.id, new EngineRule(node.id)])),
    reported: new Set(),
    repaired: new Set(),
    unwell: new Map(),
    unreached: new Map(),
    wantedSince: new Map(),
    lease: undefined,
    judged: undefined,
    wasReplaced: false,
    fullDisks: new Set(),
    isolated: new Set(),
    mischief: undefined,
    hosting: undefined,
    hindrance: {},
    random,
    chance: purpose => createChance(random(purpose)),
    say: line => trace.add(clock.now(), line),
    violate: sentence => {
      if (violation !== undefined) return;
      violation = sentence;
      trace.add(clock.now(), `VIOLATION ${sentence}`);
    },
    violation: () => violation,
    databaseClock,
  };
  return platform;
}

/**
 * Begins the next life of a process, whose clock may go faster or slower; the one before must have
 * ended.
 */
export function beginLife(platform: Platform, name: string, rate = 1): Life {
  const life = createLife(name, platform.clock, rate);
  platform.lives.set(name, life);
  platform.say(`${name} starts`);
  return life;
}

/** Ends a process at once, as a lost machine or SIGKILL does. */
export function endLife(platform: Platform, name: string): void {
  const life = platform.lives.get(name);
  if (life?.alive() !== true) return;
  life.kill();
  platform.network.crash(name);
  platform.say(`${name} ends`);
}
