import { writeFile } from "node:fs/promises";
import { createRouterTransport } from "@connectrpc/connect";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { Mode } from "@skep/core/workspace/connector.ts";
import { MIGRATION_TIMES } from "@skep/core/workspace/migration.ts";
import type { MigrationStage } from "@skep/core/workspace/migration-state.ts";
import { DEFAULT_SETTINGS } from "@skep/core/world/world.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createMemoryNetwork } from "@skep/kit/memory-bus.ts";
import { createIdSource, seededRandom, systemRandom } from "@skep/kit/random.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { createHandlers } from "@skep/scheduler/api/handlers.ts";
import { createScheduler, type Scheduler } from "@skep/scheduler/create-scheduler.ts";
import { createHostTokens } from "@skep/scheduler/join/host-tokens.ts";
import { createMemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import { createHostedContainers } from "@skep/workspace/container/hosted.ts";
import { createOrchestrator } from "@skep/workspace/container/orchestrator.ts";
import { openEngines } from "@skep/workspace/container/engines.ts";
import { realParts } from "@skep/workspace/container/real-parts.ts";
import { removeData } from "@skep/workspace/container/remove-data.ts";
import { listenForWorkspaces } from "@skep/workspace/data/listen.ts";
import { createJournal } from "@skep/workspace/data/journal.ts";
import { createServed, type ServedWorkspaces } from "@skep/workspace/data/served.ts";
import { dataServices } from "@skep/workspace/data/services.ts";
import { databaseName } from "@skep/workspace/database/name.ts";
import { createEventServer } from "@skep/workspace/events/server.ts";
import { BROKER_ACCESS, brokerConfig } from "@skep/core/workspace/broker-files.ts";
import { brokerPasswords, type BrokerSecrets } from "@skep/workspace/gate/broker-files.ts";
import { createGateApi } from "@skep/workspace/gate/connect-gate-api.ts";
import { createGate } from "@skep/workspace/gate/create-gate.ts";
import { listenMqtt } from "@skep/workspace/gate/listen.ts";
import { createConnectApi } from "@skep/workspace/host/connect-api.ts";
import { createHost, type Host } from "@skep/workspace/host/create-host.ts";
import { createFindPeer } from "@skep/workspace/move/peer.ts";
import { MongoClient, type Db } from "mongodb";
import { connect as mqttClient } from "mqtt";
import { eventually } from "./eventually.ts";
import { startMongodServer } from "./mongod-server.ts";
import { startMosquittoServer, type MosquittoServer } from "./mosquitto-server.ts";

/** The workspace that moves, and how many devices it has. */
export const MOVING = "fleet";
const DEVICES = 6;

/** A host, on the engines of its mode. */
export interface MoveHost {
  readonly mode: Mode;
  /** Cut off from schedulers, as if it were dead; its connections go on until its lease ends. */
  isCut: boolean;
  readonly host: Host;
  readonly served: ServedWorkspaces;
  stop(): Promise<void>;
}

/**
 * A scheduler, a gate, and a host, a broker and a database of each mode, all real but the records.
 */
export interface MoveRig {
  readonly store: Store;
  readonly scheduler: Scheduler;
  readonly gateUrl: string;
  readonly databases: Readonly<Record<Mode, Db>>;
  readonly brokers: Readonly<Record<Mode, MosquittoServer>>;
  readonly hosts: MoveHost[];
  startHost(mode: Mode): Promise<MoveHost>;
  /** As whom a device connects. */
  loginOf(device: string): { readonly username: string; readonly password: string };
  readonly devices: readonly string[];
  move(to: Mode): Promise<void>;
  abort(): Promise<void>;
  drop(): Promise<void>;
  /** Whether the shared broker keeps something for the workspace; who reads it is ended by that. */
  hasSession(): Promise<boolean>;
  stage(): Promise<MigrationStage | undefined>;
  because(): Promise<string>;
  passed(stage: MigrationStage, mostMs?: number): Promise<void>;
  /** What everybody logged. */
  said(): string;
  close(): Promise<void>;
}

const someone = { actor: "someone", idempotencyKey: undefined };
const SHARED: BrokerSecrets = { gate: "what the gate shows", host: "what the host shows" };
/** A test has seconds. */
const TIMES = { ...MIGRATION_TIMES, settleMs: 400, verifyMs: 800, quietMs: 300, lostMs: 4_000, nobodyReadsMs: 8_000 };

/** Starts all of it. */
export async function startMoveRig(): Promise<MoveRig> {
  await using stack = new AsyncDisposableStack();
  const log = createRecordingLog();
  const database = createMemoryDatabase(systemClock);
  const own = { clock: systemClock, log, random: systemRandom };
  let ownPort = 0;
  // A pod would tell where its broker is; a host in this process has no address to be seen by.
  const at = (store: Store): Store => ({
    ...store,
    locateBrokers: async (...args) =>
      (await store.locateBrokers(...args)).map(one =>
        one.side === "own" ? { ...one, address: { host: "127.0.0.1", port: ownPort } } : one,
      ),
    saveHostReport: (report, ...rest) => store.saveHostReport({ ...report, address: "127.0.0.1" }, ...rest),
  });
  const store = at(database.connect("test"));
  const scheduler = createScheduler({
    ...{ ...own, store: at(database.connect("s1")), bus: createMemoryNetwork(systemClock).connect("s1") },
    ...{ settings: DEFAULT_SETTINGS, ids: createIdSource(seededRandom("s1")), name: "s1", version: "1" },
    ...{ isHosting: true, moveTimes: TIMES },
  });
  stack.defer(() => scheduler.stop());
  scheduler.start();
  const transport = createRouterTransport(createHandlers(scheduler.api));
  const tokens = createHostTokens({ store, clock: systemClock });
  const ownSecrets = {
    gate: await tokens.brokerPassword(MOVING, "gate"),
    host: await tokens.brokerPassword(MOVING, "host"),
  };
  const [sharedBroker, ownBroker, sharedMongo, ownMongo] = await Promise.all([
    startBroker(SHARED),
    startBroker(ownSecrets),
    startMongodServer(),
    startMongodServer(),
  ]);
  for (const one of [sharedBroker, ownBroker, sharedMongo, ownMongo]) stack.defer(() => one.close());
  ownPort = ownBroker.port;
  const [sharedRaw, ownRaw] = [new MongoClient(sharedMongo.url), new MongoClient(ownMongo.url)];
  for (const one of [sharedRaw, ownRaw]) stack.defer(() => one.close());
  const engines = {
    shared: { broker: sharedBroker, mongo: sharedMongo, password: SHARED.host },
    standalone: { broker: ownBroker, mongo: ownMongo, password: ownSecrets.host },
  };
  const hosts: MoveHost[] = [];
  stack.defer(async () => void (await Promise.all(hosts.map(one => one.stop()))));

  async function startHost(mode: Mode): Promise<MoveHost> {
    const { broker, mongo, password } = engines[mode];
    const workspaces = createServed();
    const listener = await listenForWorkspaces({
      port: 0,
      workspaces,
      routes: dataServices({ clock: systemClock, journal: createJournal(log, Date.now) }),
      log,
    });
    const events = createEventServer({ http: listener.sockets, cameFor: listener.cameFor });
    const opened = openEngines({
      mongoUrl: mongo.url,
      mqttUrl: broker.url,
      mqttUsername: "host",
      mqttPassword: password,
      events,
    });
    const orchestrator = createOrchestrator({ clock: systemClock, log });
    const api = createConnectApi({ transports: [transport], secret: undefined, clock: systemClock });
    const made = { mode, isCut: false, served: workspaces } as { -readonly [K in keyof MoveHost]: MoveHost[K] };
    const cut =
      <A extends readonly unknown[], T>(call: (...args: A) => Promise<T>) =>
      (...args: A): Promise<T> =>
        made.isCut ? Promise.reject(new Error("cut off")) : call(...args);
    const workspaceId = mode === "standalone" ? MOVING : undefined;
    made.host = createHost({
      ...own,
      containers: createHostedContainers({
        ...{ ...own, orchestrator, workspaces, messagesPerSecond: undefined, register: () => undefined },
        loadRules: async () => ({ rulesVersion: 0, records: [], webhooks: new Map() }),
        removeData: (connector, lease) => removeData(opened, connector, lease),
        findPeer: createFindPeer(systemClock),
        factories: content => realParts(opened, content),
      }),
      api: {
        ...api,
        enrol: cut(async (identity: string, signal: AbortSignal) => ({
          ...(await api.enrol(identity, signal)),
          workspaceId,
        })),
        report: cut(api.report),
      },
      newIdentity: () => `${mode} ${Math.random()} ${hosts.length}`.padEnd(40, "x"),
      facts: {
        ...{
          nodeId: `node-${mode}`,
          startedAt: Date.now(),
          version: "1",
          most: 100,
          address: "",
          eventsPort: listener.port,
        },
        load: () => ({ connections: 0, messagesPerSecond: 0, memoryShare: 0 }),
      },
    });
    let stopping: Promise<void> | undefined;
    made.stop = () =>
      (stopping ??= (async () => {
        await made.host.stop(0);
        await events.close();
        await listener.close();
        await orchestrator.close();
        await opened.close();
      })());
    hosts.push(made);
    made.host.start();
    return made;
  }

  await startHost("shared");
  await startHost("standalone");
  const wanted = { tenantId: "default", purpose: aPurpose(), strategy: "least-loaded" } as const;
  await store.createWorkspace({ ...wanted, connector: aConnector({ id: MOVING }) }, someone, Date.now());
  const devices = Array.from({ length: DEVICES }, (_, index) => `d${index}`);
  const secretOf = (device: string): string => `the secret of ${device}`;
  const digests = devices.map(deviceId => ({
    deviceId,
    digest: digestSecret(`${MOVING}/devices/${deviceId}`, secretOf(deviceId)),
  }));
  await store.createDevices(MOVING, digests, someone, 1);
  const gate = createGate({
    ...{ api: createGateApi([transport], undefined), gateId: "gate_a", clock: systemClock, log },
    settings: {
      broker: { host: "127.0.0.1", port: sharedBroker.port, login: { username: "gate", password: SHARED.gate } },
      ...{ mostBytes: 65_536, mostPackets: 100_000, mostHeld: 100_000 },
    },
  });
  stack.defer(() => gate.close());
  const entry = { port: 0, host: "127.0.0.1", most: 1_000, mostBytes: 65_536, clock: systemClock, serve: gate.serve };
  const mqtt = await listenMqtt({ ...entry, behindProxy: false });
  stack.defer(() => mqtt.close());
  const stage = async () => (await store.getMove(MOVING))?.move.stage;
  await eventually(async () => {
    if ((await store.locateWorkspaces([MOVING])).get(MOVING)?.state !== "running")
      throw new Error("no host reads it yet");
    if (!gate.isHeard()) throw new Error("the gate is not heard yet");
  }, 20_000);
  const all = stack.move();
  return {
    ...{ store, scheduler, hosts, startHost, devices, stage, gateUrl: `mqtt://127.0.0.1:${mqtt.port}` },
    databases: { shared: sharedRaw.db(databaseName(MOVING)), standalone: ownRaw.db(databaseName(MOVING)) },
    brokers: { shared: sharedBroker, standalone: ownBroker },
    loginOf: device => ({ username: `${MOVING}/devices/${device}`, password: secretOf(device) }),
    move: async to => {
      await store.startMove(MOVING, to, someone, Date.now());
      scheduler.api.wake("it is to move");
    },
    abort: async () => {
      await store.abortMove(MOVING, someone, Date.now());
      scheduler.api.wake("it is not to move");
    },
    drop: async () => {
      await store.changeWorkspace(MOVING, { desired: "deleted" }, undefined, someone, Date.now());
      scheduler.api.wake("it is dropped");
    },
    hasSession: async () => {
      const session = { clean: false, properties: { sessionExpiryInterval: 60 } };
      const client = mqttClient(sharedBroker.url, {
        ...{ username: "host", password: SHARED.host, clientId: `skep-ws-${MOVING}`, protocolVersion: 5 },
        ...{ ...session, reconnectPeriod: 0 },
      });
      const { promise, resolve, reject } = Promise.withResolvers<boolean>();
      client.once("connect", ({ sessionPresent }) => resolve(sessionPresent)).once("error", reject);
      const isThere = await promise;
      client.stream.destroy();
      return isThere;
    },
    because: async () => (await store.getMove(MOVING))?.move.because ?? "",
    passed: (wantedStage, mostMs = 20_000) =>
      eventually(async () => {
        const known = await store.getMove(MOVING);
        if (known?.move.stage !== wantedStage)
          throw new Error(
            `it is in ${known?.move.stage}: ${known?.move.because}; ${JSON.stringify(known?.halves.map(one => one.move))}`,
          );
      }, mostMs),
    said: () => log.lines.map(line => JSON.stringify(line)).join("\n"),
    close: () => all.disposeAsync(),
  };
}

function startBroker(secrets: BrokerSecrets): Promise<MosquittoServer> {
  return startMosquittoServer(async directory => {
    await writeFile(`${directory}/passwords`, brokerPasswords(secrets));
    await writeFile(`${directory}/access`, BROKER_ACCESS);
    return brokerConfig(directory);
  });
}
