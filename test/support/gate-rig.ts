import { writeFile } from "node:fs/promises";
import { createRouterTransport } from "@connectrpc/connect";
import { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { aLocation } from "@skep/core/testing/builders.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { BrokerSide } from "@skep/core/workspace/broker.ts";
import { podId } from "@skep/core/workspace/pod.ts";
import type { Device, DeviceKey } from "@skep/core/workspace/device.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { systemRandom } from "@skep/kit/random.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { createHostTokens } from "@skep/scheduler/join/host-tokens.ts";
import { expect } from "vitest";
import { gateHandlers } from "@skep/scheduler/api/gates.ts";
import { createTestPlatform, LEADER } from "@skep/scheduler/api/testing/platform.ts";
import { BROKER_ACCESS, brokerConfig } from "@skep/core/workspace/broker-files.ts";
import { sessionOf } from "@skep/workspace/channel/channel.ts";
import type { Delivery } from "@skep/workspace/channel/delivery.ts";
import { openReader } from "@skep/workspace/channel/reader.ts";
import { brokerPasswords, type BrokerSecrets } from "@skep/workspace/gate/broker-files.ts";
import { createGateApi } from "@skep/workspace/gate/connect-gate-api.ts";
import { createGate } from "@skep/workspace/gate/create-gate.ts";
import { listenMqtt, listenWebSocket } from "@skep/workspace/gate/listen.ts";
import { eventually } from "./eventually.ts";
import { startMosquittoServer, type MosquittoServer } from "./mosquitto-server.ts";

/** A real broker behind a real gate, and schedulers in memory with 12 devices of each tenant. */
export interface GateRig {
  readonly url: string;
  readonly webSocketUrl: string;
  /** Behind a proxy, which says who connects. */
  readonly proxiedPort: number;
  readonly proxiedWebSocketPort: number;
  readonly brokerUrl: string;
  readonly broker: MosquittoServer;
  readonly hostPassword: string;
  readonly gatePassword: string;
  /** The secret of a device, as `workspace/device`. */
  secretOf(device: string): string;
  device(device: string): Promise<Device>;
  rotate(device: string): Promise<void>;
  disable(device: string): Promise<void>;
  /** A second broker, of the pod that the workspace `acme` has. */
  readonly ownBroker: MosquittoServer;
  readonly ownHostPassword: string;
  /** Sends the devices of `acme` to a broker, as a move of the workspace does. */
  sendTo(side: BrokerSide): Promise<void>;
  /** Whether every gate has confirmed that nobody of `acme` is where devices were before. */
  isConfirmed(): Promise<boolean>;
  /** Has the hosts of both workspaces store nothing that comes from now on, or all that came. */
  setAway(isAway: boolean): void;
  /** Has those hosts not connect to their brokers again, or do so. */
  setReading(mayRead: boolean): void;
  /** Cuts the gate off from the schedulers. */
  unheard(isCut: boolean): void;
  close(): Promise<void>;
}

const HOST_PASSWORD = "what the host shows";
const GATE_PASSWORD = "what the gate shows";
const someone = { actor: "someone", idempotencyKey: undefined };

/** Starts all of it. */
export async function startGateRig(): Promise<GateRig> {
  const { deps, store, database, addNodes } = createTestPlatform();
  const rotations = new Map<string, number>();
  const secretOf = (device: string): string => `secret ${rotations.get(device) ?? 0} of ${device}`;
  const keyOf = (device: string): DeviceKey => {
    const [workspaceId = "", deviceId = ""] = device.split("/");
    return { workspaceId, deviceId };
  };
  const digestOf = (device: string): string => digestSecret(device.replace("/", "/devices/"), secretOf(device));
  for (const id of ["acme", "other"]) {
    const wanted = { tenantId: "default", connector: aConnector({ id }), purpose: aPurpose() };
    await store.createWorkspace({ ...wanted, strategy: "least-loaded" }, someone, 1);
    const ids = Array.from({ length: 12 }, (_, index) => `d${index + 1}`);
    const devices = ids.map(deviceId => ({ deviceId, digest: digestOf(`${id}/${deviceId}`) }));
    await store.createDevices(id, devices, someone, 1);
  }
  const broker = await startBroker({ gate: GATE_PASSWORD, host: HOST_PASSWORD });
  const tokens = createHostTokens(deps);
  const ownHostPassword = await tokens.brokerPassword("acme", "host");
  const ownBroker = await startBroker({ gate: await tokens.brokerPassword("acme", "gate"), host: ownHostPassword });
  await addNodes({ id: "node-1", address: "127.0.0.1" });
  const pod = { ...{ instanceId: "default.ws_acme.1", deploymentId: podId("default", "acme") }, nodeId: "node-1" };
  const mqttPort = { container: "mosquitto", containerPort: 1883, protocol: "tcp", hostPort: ownBroker.port } as const;
  database.records.locations.set("pod", aLocation({ ...pod, state: "running", ports: [mqttPort] }));
  let isCut = false;
  const transport = createRouterTransport(router => {
    const handlers = gateHandlers(deps);
    const unlessCut =
      <A extends readonly unknown[], T>(run: ((...args: A) => T) | undefined) =>
      (...args: A): T => {
        if (isCut || run === undefined) throw new Error("cut off");
        return run(...args);
      };
    router.service(GateService, {
      admitDevices: unlessCut(handlers.admitDevices),
      reportDevices: unlessCut(handlers.reportDevices),
      reportBrokers: unlessCut(handlers.reportBrokers),
    });
  });
  const gate = createGate({
    api: createGateApi([transport], undefined),
    gateId: "gate_a",
    settings: {
      broker: { host: "127.0.0.1", port: broker.port, login: { username: "gate", password: GATE_PASSWORD } },
      ...{ mostBytes: 65_536, mostPackets: 100_000, mostHeld: 100_000 },
    },
    ...{ clock: systemClock, log: createRecordingLog() },
  });
  await eventually(() => expect(gate.isHeard()).toBe(true));
  const hosts = [
    ...["acme", "other"].map(workspaceId => startHost(workspaceId, broker.url, HOST_PASSWORD)),
    startHost("acme", ownBroker.url, ownHostPassword),
  ];
  await eventually(() => expect(hosts.every(one => one.isReading())).toBe(true));
  const entry = { port: 0, host: "127.0.0.1", most: 1_000, mostBytes: 65_536, clock: systemClock, serve: gate.serve };
  const mqtt = await listenMqtt({ ...entry, behindProxy: false });
  const webSocket = await listenWebSocket({ ...entry, behindProxy: false });
  const proxied = await listenMqtt({ ...entry, behindProxy: true });
  const proxiedWebSocket = await listenWebSocket({ ...entry, behindProxy: true });
  return {
    ...{ ownBroker, ownHostPassword },
    ...{ broker, secretOf, brokerUrl: broker.url, hostPassword: HOST_PASSWORD, gatePassword: GATE_PASSWORD },
    ...{ url: `mqtt://127.0.0.1:${mqtt.port}`, webSocketUrl: `ws://127.0.0.1:${webSocket.port}/mqtt` },
    ...{ proxiedPort: proxied.port, proxiedWebSocketPort: proxiedWebSocket.port },
    device: async device => {
      const found = await store.getDevice(keyOf(device));
      if (found === undefined) throw new Error(`there is no device ${device}`);
      return found;
    },
    rotate: async device => {
      rotations.set(device, (rotations.get(device) ?? 0) + 1);
      await store.changeDevice(keyOf(device), { digest: digestOf(device) }, someone, 1);
    },
    disable: async device => void (await store.changeDevice(keyOf(device), { enabled: false }, someone, 1)),
    sendTo: async side => {
      const [at] = await store.locateBrokers(["acme"], 0);
      const mandate = await store.takeLease(...LEADER);
      if (!(await store.switchDevices("acme", side, at?.serial ?? 0, mandate, Date.now())))
        throw new Error(`the devices could not be sent to ${side}`);
    },
    isConfirmed: async () => (await store.listGatesBehind("acme", 0)).length === 0,
    setAway: isAway => hosts.forEach(one => one.setAway(isAway)),
    setReading: mayRead => hosts.forEach(one => one.setReading(mayRead)),
    unheard: cut => void (isCut = cut),
    close: async () => {
      for (const one of hosts) await one.close();
      for (const one of [mqtt, webSocket, proxied, proxiedWebSocket]) await one.close();
      await gate.close();
      await broker.close();
      await ownBroker.close();
    },
  };
}

/** Acknowledges as a host does, without a database. */
function startHost(workspaceId: string, url: string, password: string) {
  let isAway = false;
  let mayRead = true;
  let waiting: Delivery[] = [];
  const reader = openReader(
    sessionOf({ workspaceId, url, username: "host", password, batch: 1_000 }),
    {
      delivered: one => {
        waiting.push(one);
        store();
      },
      changed: () => undefined,
    },
    { clock: systemClock, random: systemRandom, mayRead: () => mayRead },
  );
  const store = (): void => {
    if (isAway) return;
    reader.acknowledge(waiting);
    waiting = [];
  };
  return {
    isReading: () => reader.state().kind === "connected",
    setAway: (wanted: boolean) => {
      isAway = wanted;
      store();
    },
    setReading: (wanted: boolean) => void (mayRead = wanted),
    close: reader.close,
  };
}

function startBroker(secrets: BrokerSecrets): Promise<MosquittoServer> {
  return startMosquittoServer(async directory => {
    await writeFile(`${directory}/passwords`, brokerPasswords(secrets));
    await writeFile(`${directory}/access`, BROKER_ACCESS);
    return brokerConfig(directory);
  });
}
