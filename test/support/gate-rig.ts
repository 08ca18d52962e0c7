import { writeFile } from "node:fs/promises";
import { createRouterTransport } from "@connectrpc/connect";
import { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import type { Device, DeviceKey } from "@skep/core/workspace/device.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { digestSecret } from "@skep/kit/secret-digest.ts";
import { gateHandlers } from "@skep/scheduler/api/gates.ts";
import { createTestPlatform } from "@skep/scheduler/api/testing/platform.ts";
import { BROKER_ACCESS, brokerConfig, brokerPasswords } from "@skep/workspace/gate/broker-files.ts";
import { createGateApi } from "@skep/workspace/gate/connect-gate-api.ts";
import { createGate } from "@skep/workspace/gate/create-gate.ts";
import { listenMqtt, listenWebSocket } from "@skep/workspace/gate/listen.ts";
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
  /** Cuts the gate off from the schedulers. */
  unheard(isCut: boolean): void;
  close(): Promise<void>;
}

const HOST_PASSWORD = "what the host shows";
const GATE_PASSWORD = "what the gate shows";
const someone = { actor: "someone", idempotencyKey: undefined };

/** Starts all of it. */
export async function startGateRig(): Promise<GateRig> {
  const { deps, store } = createTestPlatform();
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
  const broker = await startMosquittoServer(async directory => {
    await writeFile(`${directory}/passwords`, brokerPasswords({ gate: GATE_PASSWORD, host: HOST_PASSWORD }));
    await writeFile(`${directory}/access`, BROKER_ACCESS);
    return brokerConfig(directory);
  });
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
    });
  });
  const gate = createGate({
    api: createGateApi([transport], undefined),
    settings: {
      ...{ brokerHost: "127.0.0.1", brokerPort: broker.port, mostBytes: 65_536, mostPackets: 100_000 },
      login: { username: "gate", password: GATE_PASSWORD },
    },
    ...{ clock: systemClock, log: createRecordingLog() },
  });
  const entry = { port: 0, host: "127.0.0.1", most: 1_000, mostBytes: 65_536, clock: systemClock, serve: gate.serve };
  const mqtt = await listenMqtt({ ...entry, behindProxy: false });
  const webSocket = await listenWebSocket({ ...entry, behindProxy: false });
  const proxied = await listenMqtt({ ...entry, behindProxy: true });
  const proxiedWebSocket = await listenWebSocket({ ...entry, behindProxy: true });
  return {
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
    unheard: cut => void (isCut = cut),
    close: async () => {
      for (const one of [mqtt, webSocket, proxied, proxiedWebSocket]) await one.close();
      await gate.close();
      await broker.close();
    },
  };
}
