import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { aTenant } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { SkepError } from "@skep/core/error.ts";
import { createHandlers } from "@skep/scheduler/api/handlers.ts";
import type { Scheduler } from "@skep/scheduler/create-scheduler.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import { createRig, type Rig } from "@skep/scheduler/testing/rig.ts";
import { createInterceptors } from "@skep/server/interceptors.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { seededRandom } from "@skep/kit/random.ts";
import { createConnectApi } from "../connect-api.ts";
import { createHost, type Host } from "../create-host.ts";
import type { HostApi } from "../host-api.ts";
import { createTestContainers, type TestContainers } from "./containers.ts";

/** What becomes of a host's calls. */
export interface Way {
  /** Nothing arrives. */
  isCut: boolean;
  /** Reports arrive, and their answers do not. */
  losesAnswers: boolean;
  /** Streams stay open and bring nothing. */
  isStill: boolean;
  /** Answers take so much longer. */
  answersMs: number;
}

/** A host with its containers, and the way from it to the schedulers. */
export interface FleetHost {
  readonly host: Host;
  readonly containers: TestContainers;
  readonly way: Way;
}

/** Real schedulers and real hosts on one virtual clock. */
export interface HostFleet {
  readonly rig: Rig;
  readonly store: Store;
  scheduler(name: string): Scheduler;
  host(name: string): FleetHost;
  create(id: string): Promise<void>;
  /** Lets time pass; answers every moment at which two hosts could read one workspace. */
  pass(ms: number): Promise<readonly string[]>;
  /** Who reads what right now. */
  reading(): readonly string[];
}

const someone = { actor: "someone", idempotencyKey: undefined };

/** Makes an empty fleet. */
export async function createHostFleet(): Promise<HostFleet> {
  const rig = createRig();
  const store = rig.database.connect("user");
  const schedulers = new Map<string, Scheduler>();
  const hosts = new Map<string, FleetHost>();
  await store.createTenant(aTenant(), someone);

  const transports = (): [Transport, ...Transport[]] =>
    [...schedulers.values()].map(one =>
      createRouterTransport(createHandlers(one.api), {
        router: { interceptors: createInterceptors(createRecordingLog()) },
      }),
    ) as [Transport, ...Transport[]];
  const reading = (): readonly string[] =>
    [...hosts].flatMap(([name, one]) => one.containers.reading().map(what => `${name} ${what}`));

  return {
    rig,
    store,
    scheduler: name => {
      const scheduler = rig.scheduler(name, true);
      schedulers.set(name, scheduler);
      scheduler.start();
      return scheduler;
    },
    host: name => {
      const { clock } = rig;
      const way: Way = { isCut: false, losesAnswers: false, isStill: false, answersMs: 0 };
      const containers = createTestContainers(clock);
      const random = seededRandom(name);
      let identities = 0;
      const host = createHost({
        ...{ clock, containers, random, log: createRecordingLog() },
        api: overWay(createConnectApi({ transports: transports(), secret: undefined, clock }), way, clock),
        newIdentity: () => `${name} ${(identities += 1)}`.padEnd(40, "x"),
        facts: {
          ...{ nodeId: `node-${name}`, startedAt: clock.now(), version: "1", most: 100, address: "", eventsPort: 0 },
          load: () => ({ connections: 0, messagesPerSecond: 0, memoryShare: 0 }),
        },
      });
      const made = { host, containers, way };
      hosts.set(name, made);
      host.start();
      return made;
    },
    create: async id => {
      const wanted = { tenantId: "acme", purpose: aPurpose(), strategy: "least-loaded" } as const;
      await store.createWorkspace({ ...wanted, connector: aConnector({ id }) }, someone, rig.clock.now());
      for (const one of schedulers.values()) one.api.wake("a workspace was made");
    },
    pass: async ms => {
      const doubled: string[] = [];
      for (let left = ms; left > 0; left -= 50) {
        await rig.clock.advance(Math.min(50, left));
        const owners = Map.groupBy(reading(), one => one.replace(/^.* (.*)@.*$/, "$1"));
        for (const [, all] of owners) if (all.length > 1) doubled.push(all.join(" and "));
      }
      return doubled;
    },
    reading,
  };
}

/** A call that is cut fails at once; an answer that is lost is waited for. */
function overWay(api: HostApi, way: Way, clock: Clock): HostApi {
  const away = (): SkepError => new SkepError("unavailable", "CUT", "The host is cut off.");
  return {
    enrol: (identity, signal) => (way.isCut ? Promise.reject(away()) : api.enrol(identity, signal)),
    loadRules: (...args) => (way.isCut ? Promise.reject(away()) : api.loadRules(...args)),
    report: async (report, signal) => {
      if (way.isCut) throw away();
      const answer = await api.report(report, signal);
      if (way.answersMs > 0) await clock.sleep(way.answersMs);
      if (way.isCut || way.losesAnswers) return new Promise(() => undefined);
      return answer;
    },
    attach: async function* (hostId, signal) {
      if (way.isCut) throw away();
      for await (const assignment of api.attach(hostId, signal)) {
        if (way.isCut) throw away();
        if (!way.isStill) yield assignment;
      }
    },
  };
}
