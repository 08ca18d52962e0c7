/// <reference lib="esnext.disposable" preserve="true" />
import { randomBytes } from "node:crypto";
import { systemClock } from "@skep/kit/clock.ts";
import { showConfig } from "@skep/kit/config.ts";
import { createHealthHandler, watchReadiness } from "@skep/kit/health.ts";
import { HTTP_LIMITS, listenHttp1 } from "@skep/kit/http-listener.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { schedulersAt } from "../schedulers.ts";
import { GATE_SETTINGS, type GateConfig } from "./config.ts";
import { createGateApi } from "./connect-gate-api.ts";
import { createGate } from "./create-gate.ts";
import { listenMqtt, listenWebSocket } from "./listen.ts";

/** Lets devices in until the process is told to end. */
export async function serveGate(config: GateConfig, log: Log, life: Life): Promise<void> {
  log.info("config.read", "The configuration is complete.", showConfig(GATE_SETTINGS, config));
  const { brokerHost, brokerPort, brokerUser, brokerPassword, mostBytes, mostPackets, mostHeld } = config;
  const gate = createGate({
    api: createGateApi(schedulersAt(config.apiUrl), config.gateSecret),
    gateId: `gate_${randomBytes(12).toString("hex")}`,
    settings: {
      broker: { host: brokerHost, port: brokerPort, login: { username: brokerUser, password: brokerPassword } },
      ...{ mostBytes, mostPackets, mostHeld },
    },
    ...{ clock: systemClock, log },
  });
  life.stack.defer(() => gate.close());
  const entry = {
    ...{ behindProxy: config.behindProxy === "yes", most: config.mostConnections, mostBytes, clock: systemClock },
    serve: gate.serve,
  };
  const mqtt = await listenMqtt({ ...entry, port: config.mqttPort });
  life.stack.defer(() => mqtt.close());
  const webSocket = await listenWebSocket({ ...entry, port: config.webSocketPort });
  life.stack.defer(() => webSocket.close());
  const ready = watchReadiness({
    schedulers: () => (gate.isHeard() ? undefined : "no scheduler answers: only devices that were here before get in"),
  });
  life.stack.defer(() => ready.close());
  const handle = createHealthHandler({ ready });
  const probes = await listenHttp1({ port: config.probePort, log, limits: HTTP_LIMITS }, (request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  life.stack.defer(() => probes.close(0));
  const ports = { mqttPort: mqtt.port, webSocketPort: webSocket.port, probePort: probes.port };
  log.info("gate.listening", "Devices are let in.", ports);
}
