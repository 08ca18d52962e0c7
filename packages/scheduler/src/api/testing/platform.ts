import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import type { ReportedStatus } from "@skep/core/model/report.ts";
import { createRouterTransport } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { decodeAsk } from "@skep/api/codec/ask.ts";
import type { Ask } from "@skep/api/codec/ask.ts";
import { encodeAskReply } from "@skep/api/codec/ask-reply.ts";
import type { AskReply } from "@skep/api/codec/ask-reply.ts";
import { nodeSubject } from "@skep/api/subjects.ts";
import { decide } from "@skep/core/decide/decide.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Node } from "@skep/core/model/node.ts";
import { aNode } from "@skep/core/testing/builders.ts";
import { systemClock } from "@skep/kit/clock.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createDial } from "@skep/server/dial.ts";
import { createInterceptors } from "@skep/server/interceptors.ts";
import { createMemoryDatabase } from "../../store/memory/memory-store.ts";
import type { MemoryDatabase } from "../../store/memory/memory-store.ts";
import type { SeenReplica } from "../../loop/replicas.ts";
import type { Store } from "../../store/store.ts";
import type { ApiDeps } from "../deps.ts";
import { createReservedDomains } from "../reserved-domains.ts";
import { createHandlers } from "../handlers.ts";

/** How the containers of a location turn out; `running` and `healthy` unless said otherwise. */
export type Outcome = (location: Location) => Partial<ReportedStatus>;

/**
 * A whole control plane in memory: the real handlers and decisions, and agents that do what they
 * are told.
 */
export interface TestPlatform {
  readonly deps: ApiDeps;
  readonly store: Store;
  /** The memory behind the store, where no other store was given. */
  readonly database: MemoryDatabase;
  readonly transport: Transport;
  /** Everything that was said to the tick since the last look. */
  readonly wakes: string[];
  /** Adds nodes with agents that beat. */
  addNodes(...nodes: readonly Parameters<typeof aNode>[0][]): Promise<void>;
  /** From now on containers turn out like this. */
  setOutcome(outcome: Outcome): void;
  /** Decides and lets agents act until nothing changes any more. */
  converge(): Promise<void>;
  /** From now on every commit of the API is followed by that. */
  runByItself(): void;
  /** Lets a node's agent answer what it is asked; an answer of several is a stream. */
  answer(nodeId: string, answers: (ask: Ask) => readonly AskReply[]): void;
}

interface Given {
  readonly clock?: Clock;
  readonly store?: Store;
  readonly defaultLimits?: Limits;
}

/** What its operator has set. */
const SETTINGS = {
  placement: DEFAULT_SETTINGS,
  defaultQuota: { instances: 200, cpuMillis: 200_000, memoryBytes: 2 ** 40 },
  fixedPorts: [{ from: 8080, to: 8080 }],
};

/**
 * Makes one, on a store in memory unless another is given; nothing else of it needs to be closed.
 */
export function createTestPlatform(given: Given = {}): TestPlatform {
  const clock = given.clock ?? systemClock;
  const database = createMemoryDatabase(clock);
  const store = given.store ?? database.connect("test");
  const network = createMemoryNetwork(clock);
  const wakes: string[] = [];
  const handlers = new Set<() => void>();
  let outcome: Outcome = () => ({});
  let ids = 0;
  let tail: Promise<void> | undefined;
  const changed = (): void => handlers.forEach(handle => handle());
  const deps: ApiDeps = {
    store,
    bus: network.connect("scheduler"),
    clock,
    log: createRecordingLog(),
    replica: "scheduler-1",
    version: "0.1.0",
    wake: because => {
      wakes.push(because);
      if (tail !== undefined) tail = tail.then(() => platform.converge());
      changed();
    },
    hints: {
      subscribe: handle => {
        handlers.add(handle);
        return { close: () => void handlers.delete(handle) };
      },
    },
    frozen: () => false,
    edgeWarnings: () => [],
    reservedDomains: createReservedDomains({ store, clock }, ["console.example"]),
    ...SETTINGS,
    defaultLimits: given.defaultLimits ?? DEFAULT_RESOURCES,
    replicas: () => replicasAt(clock.now()),
    ...NOBODY,
    ...{ dial: createDial(), newId: () => `id-${++ids}` },
  };
  const log = createRecordingLog();
  const agents = createAgents(store, clock);
  const platform: TestPlatform = {
    deps,
    store,
    database,
    transport: createRouterTransport(createHandlers(deps), {
      router: { interceptors: createInterceptors(log) },
    }),
    wakes,
    addNodes: async (...nodes) => {
      for (const node of nodes) await agents.add(aNode(node));
      changed();
    },
    setOutcome: next => (outcome = next),
    converge: async () => {
      await convergeAll(store, clock, location => agents.report(location, outcome));
      changed();
    },
    runByItself: () => {
      tail = Promise.resolve();
    },
    answer: (nodeId, answers) => {
      const bus = network.connect(`agent ${nodeId}`);
      bus.subscribe(nodeSubject("ask", nodeId), message => {
        for (const reply of answers(decodeAsk(message.data))) message.reply(encodeAskReply(reply));
      });
    },
  };
  return platform;
}

/** No agent is heard, and one host of the platform's own network may be a database. */
const NOBODY = {
  databaseHosts: ["mongo.internal"],
  webhookHosts: ["hooks.internal"],
  heardNodes: () => [],
  silentMs: () => 0,
  unproven: () => [],
  refusals: () => [],
  clones: () => [],
  keysChanged: () => undefined,
};

/** The one that leads, and one that was killed as it led. */
function replicasAt(now: number): readonly SeenReplica[] {
  const told = { version: "0.1.0", leading: true, frozen: false };
  return [
    { ...told, name: "scheduler-1", holder: LEADER[0], seenAt: now },
    { ...told, name: "scheduler-0", holder: "killed", seenAt: now - 40_000 },
  ];
}

/** Who leads on this platform: its holder, and for how long. */
export const LEADER = ["test", 3_600_000] as const;

async function convergeAll(
  store: Store,
  clock: Clock,
  report: (location: Location) => Promise<boolean>,
): Promise<void> {
  const settings = { ...DEFAULT_SETTINGS, edgeSettleMs: 0, keepStoppedMs: 0 };
  const mandate = await store.takeLease(...LEADER);
  for (let round = 0; round < 50; round++) {
    const plan = decide(await store.loadWorld(), settings, clock.now());
    if (plan.changes.length > 0) {
      const result = await store.commit(plan, mandate, clock.now());
      if (result.kind === "stale") throw new Error(`the plan was stale: ${result.because}`);
    }
    const { locations } = await store.loadWorld();
    let moved = false;
    for (const location of locations) moved = (await report(location)) || moved;
    if (plan.changes.length === 0 && !moved) return;
  }
  throw new Error("no rest after 50 rounds");
}

/** Agents that report at once what they were told to do. */
function createAgents(
  store: Store,
  clock: Clock,
): { add(node: Node): Promise<void>; report(location: Location, outcome: Outcome): Promise<boolean> } {
  const seqs = new Map<string, number>();
  const send = async (nodeId: string, more: { statuses?: readonly ReportedStatus[]; gone?: readonly Location[] }) => {
    const seq = (seqs.get(nodeId) ?? 0) + 1;
    seqs.set(nodeId, seq);
    const { statuses = [], gone = [] } = more;
    await store.saveReport({ nodeId, sessionId: "session", seq, full: seq === 1, statuses, gone }, clock.now());
  };
  return {
    add: async node => {
      const { id: nodeId, hostname, address, role, availability, labels } = node;
      const { os, architecture, engineVersion, engineLabels, capacity } = node;
      const now = clock.now();
      const facts = { nodeId, hostname, address, os, architecture, engineVersion, engineLabels, capacity };
      await store.saveFacts({ ...facts, sessionId: "session", bootId: "boot" }, now);
      const swarm = { nodeId, hostname, role, availability, state: "ready", address, labels, versionIndex: 1 };
      await store.saveSwarmNodes([swarm], now);
      await send(nodeId, {});
      const mandate = await store.takeLease(...LEADER);
      await store.saveLiveness(new Map([[nodeId, node.liveness]]), mandate);
      await store.saveBeats([{ nodeId, load: { cpuShare: 0.25, memoryShare: 0.5 } }], mandate, now);
    },
    report: async (location, outcome) => {
      const { instanceId, epoch, nodeId, ports } = location;
      if (["stopped", "completed", "failed", "lost"].includes(location.state)) return false;
      if (location.desired === "stop") {
        await send(nodeId, { gone: [location] });
        return true;
      }
      const container = { name: "app", id: `${instanceId}-${epoch}`, imageId: "sha256:1", running: true };
      const status: ReportedStatus = {
        instanceId,
        epoch,
        ports,
        state: "running",
        health: "healthy",
        containers: [{ ...container, exitCode: undefined, restarts: 0 }],
        message: "",
        ...outcome(location),
      };
      if (status.state === location.state && status.health === location.health) return false;
      await send(nodeId, { statuses: [status] });
      return true;
    },
  };
}
