import { once } from "node:events";
import { aConnector } from "@skep/core/testing/connector.ts";
import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { readHostConfig } from "@skep/workspace/config.ts";
import { openHostedContainers } from "@skep/workspace/container/open-hosted.ts";
import type { LoadedRules } from "@skep/workspace/host/host-api.ts";
import type { RunningContainer } from "@skep/workspace/host/container.ts";
import { connectAsync, type MqttClient } from "mqtt";
import { io, type Socket } from "socket.io-client";
import { afterAll, beforeAll, expect } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { describeAttempts } from "../../support/hostile.ts";
import { startMongodServer } from "../../support/mongod-server.ts";
import { startMosquittoServer } from "../../support/mosquitto-server.ts";
import { FLOODS, type Flood } from "./hostile/floods.ts";

/**
 * A tenant that floods its own workspace, and its neighbour on the same host, broker and database:
 * after each flood, and while it goes on, a message of the neighbour is stored and heard.
 */
const stack = new AsyncDisposableStack();
const SECRET = aConnector().access.secret;
let port = 0;
let mine: RunningContainer;
let neighbour: RunningContainer;
let attacker: MqttClient;
let device: MqttClient;
let witness: Socket;
const heard: unknown[] = [];

const RULES: LoadedRules = {
  rulesVersion: 1,
  webhooks: new Map(),
  records: [
    {
      ...{ workspaceId: "mine", kind: "schema", reference: "typed", version: 1, createdAt: 0, createdBy: "me" },
      document: { reference: "typed", format: { kind: "json" }, fields: { t: { type: "number", required: true } } },
    },
    {
      ...{ workspaceId: "mine", kind: "rule", reference: "hot", version: 1, createdAt: 0, createdBy: "me" },
      document: {
        id: "hot",
        when: { kind: "rate", field: "t", perMs: 1000, is: ">", value: 1e9 },
        actions: [{ kind: "event", topic: "hot" }],
      },
    },
  ],
};

function wanted(id: string, messagesPerSecond = 100_000): AssignedWorkspace {
  const connector = aConnector({ id });
  const { resources } = connector.config;
  const specs = { ...resources.specs, messagesPerSecond };
  const bounded = { ...connector, config: { ...connector.config, resources: { ...resources, specs } } };
  return {
    ...{ id, epoch: 1, desired: "run", version: messagesPerSecond, restarts: 0, databasePool: 5, rulesVersion: 1 },
    connector: bounded,
  };
}

beforeAll(async () => {
  const mongod = stack.adopt(await startMongodServer(), one => one.close());
  const broker = stack.adopt(await startMosquittoServer(), one => one.close());
  const log = createRecordingLog();
  const config = readHostConfig({
    ...{ SKEP_EVENTS_PORT: "0", SKEP_MONGODB_URL: mongod.url, SKEP_MQTT_URL: broker.url },
  });
  const life = { stack, signal: new AbortController().signal, stop: () => undefined };
  const containers = (await openHostedContainers(config, log, life)).factory(async () => RULES);
  port = log.lines.find(one => one.event === "events.listening")?.fields["eventsPort"] as number;
  mine = await containers.start(wanted("mine"), { mayRead: () => true });
  neighbour = await containers.start(wanted("neighbour"), { mayRead: () => true });
  for (const one of [mine, neighbour]) stack.defer(() => one.close());
  attacker = await connectAsync(broker.url, { clientId: "attacker" });
  device = await connectAsync(broker.url, { clientId: "device" });
  for (const one of [attacker, device]) stack.defer(() => one.endAsync(true));
  witness = open("neighbour");
  await once(witness as never, "connect", { signal: AbortSignal.timeout(5_000) });
  witness.on("event", (event: unknown) => heard.push(event));
  await witness.emitWithAck("subscribe", "#");
});
afterAll(() => stack.disposeAsync());

function open(id: string, secret = SECRET): Socket {
  const options = { transports: ["websocket"], forceNew: true, reconnection: false, auth: { secret } };
  const socket = io(`http://127.0.0.1:${port}/ws/${id}`, { ...options, path: `/ws/${id}/socket.io` });
  stack.defer(() => void socket.disconnect());
  return socket;
}

/** A message of the neighbour, sent now, is stored and heard, and no socket of it is lost. */
async function unharmed(): Promise<void> {
  const [stored, told] = [neighbour.counts()["ingest.stored"] ?? 0, heard.length];
  await device.publishAsync("neighbour/devices/d/telemetry/x", '{"t":1}', { qos: 1 });
  await eventually(() => expect([neighbour.counts()["ingest.stored"], heard.length]).toEqual([stored + 1, told + 1]));
  expect([witness.connected, neighbour.isHealthy(), neighbour.lastError()]).toEqual([true, true, ""]);
}

async function publish(count: number, topicOf: (at: number) => string, payload: string | Buffer): Promise<void> {
  const sent: Promise<unknown>[] = [];
  for (let at = 0; at < count; at += 1) {
    sent.push(attacker.publishAsync(topicOf(at), payload, { qos: 1 }));
    if (at % 1_000 === 999) await Promise.all(sent.splice(0));
  }
  await Promise.all(sent);
}

const count = (name: string): number => mine.counts()[name] ?? 0;

/** So many more dead letters, and nothing stands still behind them. */
async function buried(many: number, topicOf: (at: number) => string, payload: string | Buffer): Promise<string> {
  const before = count("database.buried");
  const stored = count("ingest.stored");
  await publish(many, topicOf, payload);
  await publish(1, () => "mine/devices/last/telemetry/x", '{"t":1}');
  await eventually(() => expect(count("ingest.stored")).toBe(stored + 1));
  return `${count("database.buried") - before} dead letters`;
}

async function entryOf(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    socket.once("connect", () => resolve("in"));
    socket.once("connect_error", () => resolve("refused"));
  });
}

const FLOOD: Readonly<Record<Flood, () => Promise<string>>> = {
  topics: async () => {
    const stored = count("ingest.stored");
    const flooding = publish(20_000, at => `mine/devices/d${at}/typed/t${at}`, '{"t":1}');
    await unharmed();
    await flooding;
    await eventually(() => expect(count("ingest.stored") - stored).toBe(20_000), 20_000);
    expect(count("rules.forgotten")).toBeGreaterThanOrEqual(10_000);
    return `all are stored, ${count("rules.devices").toLocaleString("en")} devices are remembered`;
  },
  large: () => buried(3, at => `mine/devices/d${at}/telemetry/x`, Buffer.alloc(2 * 1024 * 1024, "x")),
  levels: () => buried(100, at => `mine/devices/d${at}/a/${"b/".repeat(20)}c`, '{"t":1}'),
  malformed: () => buried(1_000, at => `mine/devices/d${at}/typed/x`, "\0{not json"),
  rate: async () => {
    await mine.update(wanted("mine", 100));
    const before = count("ingest.throttled");
    const flooding = publish(500, at => `mine/devices/d${at}/telemetry/x`, '{"t":1}');
    await unharmed();
    await flooding;
    await eventually(() => expect(count("ingest.throttled")).toBeGreaterThan(before));
    await mine.update({ ...wanted("mine"), version: 200_000 });
    await eventually(() => expect(count("ingest.waiting")).toBe(0), 20_000);
    return "throttled";
  },
  subscriptions: async () => {
    const filters = Array.from({ length: 1_000 }, (_, at) => `${at}/+/#`);
    const sockets = Array.from({ length: 20 }, () => open("mine"));
    await Promise.all(sockets.map(entryOf));
    const answers = await Promise.all(sockets.map(one => one.emitWithAck("subscribe", filters)));
    for (const one of sockets) one.disconnect();
    expect(count("events.subscriptions")).toBe(0);
    return [...new Set(answers.map((one: { reason?: string }) => one.reason))].join();
  },
  reconnects: async () => {
    const answers: string[] = [];
    for (let wave = 0; wave < 9; wave += 1) {
      const sockets = Array.from({ length: 120 }, () => open("mine"));
      answers.push(...(await Promise.all(sockets.map(entryOf))));
      for (const one of sockets) one.disconnect();
    }
    return [...new Set(answers)].toSorted().join();
  },
  slow: async () => {
    const sockets = Array.from({ length: 30 }, () => open("mine"));
    expect([...new Set(await Promise.all(sockets.map(entryOf)))]).toEqual(["in"]);
    await Promise.all(sockets.map(one => one.emitWithAck("subscribe", "#")));
    for (const one of sockets) pause(one);
    await publish(
      3_000,
      at => `mine/devices/d${at % 7}/telemetry/x`,
      JSON.stringify({ t: 1, text: "x".repeat(2_000) }),
    );
    await eventually(() => expect(count("events.dropped")).toBeGreaterThan(0));
    return "lost events of their own";
  },
};

/** Reads nothing any more from the wire. */
function pause(socket: Socket): void {
  const { transport } = socket.io.engine as unknown as {
    transport: { ws: { pause?(): void; _socket?: { pause(): void } } };
  };
  transport.ws.pause?.();
  transport.ws._socket?.pause();
}

describeAttempts("a flood of", FLOODS, flood => FLOOD[flood](), unharmed);
