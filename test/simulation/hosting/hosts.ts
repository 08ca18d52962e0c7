import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { SkepError } from "@skep/core/error.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createHandlers } from "@skep/scheduler/api/handlers.ts";
import { createConnectApi } from "@skep/workspace/host/connect-api.ts";
import type { ContainerFactory } from "@skep/workspace/host/container.ts";
import { createHost, type Host } from "@skep/workspace/host/create-host.ts";
import type { HostApi } from "@skep/workspace/host/host-api.ts";
import type { HostRule, Reader } from "./host-rule.ts";
import type { Life } from "./life.ts";
import type { Platform, SchedulerHandle } from "./platform.ts";

/** How the calls of one host travel. */
export interface HostWay {
  /** Nothing arrives. */
  isCut: boolean;
  /** Calls arrive, and their answers do not. */
  losesAnswers: boolean;
  /** What it is to run arrives so much later. */
  tellingMs: number;
  /** Share of calls that are lost on the way there, and as many on the way back. */
  drop: number;
  /** Calls take up to this long, each way. */
  delayMs: number;
}

/** A simulated host and its way to the schedulers. */
export interface SimHost {
  readonly host: Host;
  readonly way: HostWay;
}

/** Between two batches of a workspace, and from the read to the acknowledgement. */
const BATCH_MS = 40;
const STORE_MS = 15;
const BEGIN_MS = 100;

/** Starts the real host in a fresh life; the broker that its containers read from has no fence. */
export function startHost(platform: Platform, life: Life, rule: HostRule, closeMs = 20): SimHost {
  const way: HostWay = { isCut: false, losesAnswers: false, tellingMs: 0, drop: 0, delayMs: 2 };
  const random = platform.random(`host ${life.name} ${platform.clock.now()}`);
  let identities = 0;
  const host = createHost({
    clock: life.clock,
    random,
    log: createRecordingLog(line => platform.say(`${life.name} ${line.event} ${JSON.stringify(line.fields)}`)),
    containers: containersOf(life, rule, closeMs),
    api: overWay(platform, life, way),
    newIdentity: () => `${life.name} at ${platform.clock.now()} ${(identities += 1)}`.padEnd(40, "."),
    facts: {
      ...{ nodeId: `node-of-${life.name}`, startedAt: life.clock.now(), version: "simulated", most: 100 },
      ...{ address: life.name, eventsPort: 7_704 },
      load: () => ({ connections: 0, messagesPerSecond: 0, memoryShare: 0 }),
    },
  });
  host.start();
  return { host, way };
}

/** Containers that take a batch, store it, and acknowledge it only while they may. */
function containersOf(life: Life, rule: HostRule, closeMs: number): ContainerFactory {
  return {
    start: async (workspace, lease) => {
      await life.clock.sleep(BEGIN_MS);
      const { id: workspaceId, epoch } = workspace;
      const reader: Reader = { life, workspaceId, epoch, isClosed: false, mayRead: () => lease.mayRead() };
      rule.begins(reader);
      const reading = (async () => {
        while (!reader.isClosed) {
          await life.clock.sleep(BATCH_MS);
          if (reader.isClosed || !lease.mayRead()) continue;
          await life.clock.sleep(STORE_MS);
          if (!reader.isClosed && lease.mayRead()) rule.reads(reader);
        }
      })();
      return {
        update: () => Promise.resolve(),
        isHealthy: () => true,
        lastError: () => "",
        counts: () => ({}),
        close: async () => {
          await life.clock.sleep(closeMs);
          reader.isClosed = true;
          await reading;
          rule.ends(reader);
        },
      };
    },
  };
}

/** The schedulers as one host reaches them: calls take their time and are lost either way. */
function overWay(platform: Platform, life: Life, way: HostWay): HostApi {
  const chance = platform.chance(`way of ${life.name} ${platform.clock.now()}`);
  const transports = platform.schedulers.map(name => transportTo(platform, name));
  const api = createConnectApi({
    transports: transports as unknown as readonly [Transport, ...Transport[]],
    secret: undefined,
    clock: life.clock,
  });
  const passes = async (extraMs = 0): Promise<void> => {
    await life.clock.sleep(1 + chance.between(0, way.delayMs) + extraMs);
    if (way.isCut || chance.happens(way.drop)) throw new SkepError("unavailable", "LOST", "The call was lost.");
  };
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    await passes();
    const answer = await run();
    if (way.losesAnswers) await new Promise(() => undefined);
    await passes();
    return answer;
  };
  return {
    enrol: (identity, signal) => call(() => api.enrol(identity, signal)),
    loadRules: (...args) => call(() => api.loadRules(...args)),
    report: (report, signal) => call(() => api.report(report, signal)),
    attach: async function* (hostId, signal) {
      await passes();
      for await (const assignment of api.attach(hostId, signal)) {
        await passes(way.tellingMs);
        yield assignment;
      }
    },
  };
}

/** A way to whichever life of a scheduler there is at the moment of a call. */
function transportTo(platform: Platform, name: string): Transport {
  const made = new WeakMap<SchedulerHandle, Transport>();
  const present = (): Transport => {
    const handle = platform.handles.get(name);
    if (handle?.life.alive() !== true) throw new ConnectError(`${name} is not there`, Code.Unavailable);
    const known = made.get(handle) ?? createRouterTransport(createHandlers(handle.api));
    made.set(handle, known);
    return known;
  };
  return {
    unary: async (...args) => present().unary(...args),
    stream: async (...args) => present().stream(...args),
  };
}
