import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectorToProto } from "@skep/api/codec/connector.ts";
import { aConnector } from "@skep/core/testing/connector.ts";
import type { Connector } from "@skep/core/workspace/connector.ts";
import { databaseName } from "@skep/workspace/database/name.ts";
import { BROKER_ACCESS, brokerConfig } from "@skep/core/workspace/broker-files.ts";
import { brokerPasswords } from "@skep/workspace/gate/broker-files.ts";
import type { SkepClient } from "@skep/sdk/index.ts";
import { connect } from "@skep/sdk/node.ts";
import { MongoClient, type Db } from "mongodb";
import { root } from "../tidy/sources.ts";
import { freePort, startChild, type Child } from "./child.ts";
import type { SentDevice } from "./device-fleet-process.ts";
import { eventually } from "./eventually.ts";
import { startMongodServer, type MongodServer } from "./mongod-server.ts";
import { startMosquittoServer, type MosquittoServer } from "./mosquitto-server.ts";
import { startNatsServer } from "./nats-server.ts";
import { startStoreServer } from "./postgres.ts";
import { startScheduler, type SchedulerProcess } from "./scheduler-process.ts";

/** A host of workspaces as the stack runs it, in a process of its own. */
export interface HostProcess {
  readonly child: Child;
  readonly pid: number;
  readonly eventsPort: number;
}

/** A scheduler, a gate, hosts and their engines, each a real process. */
export interface WorkspaceFleet {
  readonly client: SkepClient;
  readonly scheduler: SchedulerProcess;
  readonly broker: MosquittoServer;
  readonly mongod: MongodServer;
  readonly gate: Child;
  /** Where devices connect. */
  readonly gatePort: number;
  /** All that were started. */
  readonly hosts: readonly HostProcess[];
  startHost(): Promise<HostProcess>;
  /** Resolves once a host has it and reads its messages. */
  createWorkspace(id: string, change?: Partial<Connector>): Promise<void>;
  /** Every other one speaks MQTT 5 and numbers what it sends; all of them do where `numbered`. */
  createDevices(workspaceId: string, count: number, numbered?: boolean): Promise<readonly SentDevice[]>;
  databaseOf(workspaceId: string): Db;
  /** Ends all of it, the latest first. */
  close(): Promise<void>;
}

const LOGIN = { gate: "what the gate shows", host: "what the host shows" };
const MOST_CREATED = 1_000;
const READY_MS = 60_000;

/** How it is started, where it is not as usual. */
export interface FleetOptions {
  /** Members of the replica set. */
  readonly members?: 1 | 3;
  readonly hosts?: number;
  /** Environment of every host beyond what it needs. */
  readonly hostEnvironment?: Readonly<Record<string, string>>;
  /** How often the broker writes what it holds to its disk; the stack's does each 30 s. */
  readonly autosaveSeconds?: number;
  /** What is done to the broker's directory before anything is in it. */
  readonly brokerDirectory?: (directory: string) => Promise<void>;
}

/** Starts all of it; with one host and one member where nothing else is said. */
export async function startWorkspaceFleet(options: FleetOptions = {}): Promise<WorkspaceFleet> {
  const ends: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    for (const end of ends.splice(0).toReversed()) await end();
  };
  try {
    return await start(options, ends, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  { members = 1, hosts = 1, ...options }: FleetOptions,
  ends: (() => Promise<unknown>)[],
  close: () => Promise<void>,
): Promise<WorkspaceFleet> {
  const [store, nats, mongod, broker] = await Promise.all([
    startStoreServer(),
    startNatsServer(),
    startMongodServer(members),
    startBroker(options),
  ]);
  ends.push(
    () => store.server.close(),
    () => nats.close(),
    () => mongod.close(),
    () => broker.close(),
  );
  const scheduler = await startScheduler(store.server, await store.createDatabase(), nats);
  ends.push(() => scheduler.close());
  const gatePort = await freePort();
  const gate = program("gate/main.ts", {
    SKEP_URL: scheduler.apiUrl,
    SKEP_BROKER_HOST: "127.0.0.1",
    SKEP_BROKER_PORT: String(broker.port),
    SKEP_BROKER_PASSWORD: LOGIN.gate,
    SKEP_MQTT_PORT: String(gatePort),
    SKEP_MQTT_WEBSOCKET_PORT: "0",
    SKEP_GATE_PROBE_PORT: "0",
  });
  ends.push(() => gate.end());
  const raw = new MongoClient(mongod.url);
  ends.push(() => raw.close());
  const client = connect({ url: scheduler.apiUrl });
  const started: HostProcess[] = [];
  const fleet: WorkspaceFleet = {
    hosts: started,
    ...{ client, scheduler, broker, mongod, gate, gatePort, close },
    startHost: async () => {
      const eventsPort = await freePort();
      const child = program("main.ts", {
        SKEP_URL: scheduler.apiUrl,
        SKEP_MQTT_URL: broker.url,
        SKEP_MQTT_USERNAME: "host",
        SKEP_MQTT_PASSWORD: LOGIN.host,
        SKEP_MONGODB_URL: mongod.url,
        SKEP_EVENTS_PORT: String(eventsPort),
        SKEP_PROBE_PORT: "0",
        ...options.hostEnvironment,
      });
      ends.push(() => child.end("SIGKILL"));
      await said(child, "host.enrolled");
      const host = { child, eventsPort, pid: child.process.pid ?? 0 };
      started.push(host);
      return host;
    },
    createWorkspace: (id, change) => createWorkspace(client, aConnector({ id, ...change })),
    createDevices: (workspaceId, count, numbered) => createDevices(client, workspaceId, count, numbered ?? false),
    databaseOf: workspaceId => raw.db(databaseName(workspaceId)),
  };
  await said(gate, "gate.listening");
  await Promise.all(Array.from({ length: hosts }, () => fleet.startHost()));
  return fleet;
}

function startBroker({ brokerDirectory, autosaveSeconds }: FleetOptions): Promise<MosquittoServer> {
  return startMosquittoServer(async directory => {
    await brokerDirectory?.(directory);
    await writeFile(`${directory}/passwords`, brokerPasswords(LOGIN));
    await writeFile(`${directory}/access`, BROKER_ACCESS);
    return brokerConfig(directory);
  }, autosaveSeconds);
}

function program(file: string, environment: Readonly<Record<string, string>>): Child {
  const path = join(root, "packages", "workspace", "src", file);
  return startChild(process.execPath, [path], { cwd: root, env: { ...process.env, ...environment } });
}

function said(child: Child, event: string): Promise<void> {
  return eventually(() => {
    if (child.process.exitCode !== null) throw new Error(`it ended: ${child.output()}`);
    if (!child.output().includes(event)) throw new Error(`it has not said ${event} yet: ${child.output()}`);
  }, READY_MS);
}

/** Creates a workspace; resolves once a host reads its messages. */
export async function createWorkspace(client: SkepClient, connector: Connector): Promise<void> {
  const { id: workspaceId } = connector;
  const request = { tenantId: "default", connector: connectorToProto(connector) };
  await client.workspaces.createWorkspace({ ...request, idempotencyKey: `create-${workspaceId}` });
  await eventually(async () => {
    const { status, lastError } = await client.containers.getContainerStatus({ containerId: workspaceId });
    if (status !== "healthy") throw new Error(`${workspaceId} is ${status}: ${lastError}`);
  }, READY_MS);
}

/** Makes devices of a workspace. Every other one speaks MQTT 5, all of them where `numbered`. */
export async function createDevices(
  client: SkepClient,
  workspaceId: string,
  count: number,
  numbered: boolean,
): Promise<readonly SentDevice[]> {
  const ids = Array.from({ length: count }, (_, index) => `d${index}`);
  const devices: SentDevice[] = [];
  for (let at = 0; at < count; at += MOST_CREATED) {
    const deviceIds = ids.slice(at, at + MOST_CREATED);
    const request = { workspaceId, deviceIds, idempotencyKey: `devices-${workspaceId}-${at}` };
    for (const { device, secret } of (await client.devices.createDevices(request)).credentials) {
      const version = numbered || devices.length % 2 === 0 ? 5 : 4;
      devices.push({ user: device?.userName ?? "", secret, version });
    }
  }
  return devices;
}
