import { MOST_MESSAGE_BYTES } from "@skep/core/workspace/broker-files.ts";
import { loadConfig, secret, setting, type ConfigOf } from "@skep/kit/config.ts";
import { z } from "zod";
import { SCHEDULERS_SETTING } from "../schedulers.ts";

const PAST_BROKER = `must be at most ${MOST_MESSAGE_BYTES}: brokers drop what is larger (message_size_limit)`;
const port = (standard: number) => z.coerce.number().int().min(0).max(65_535).default(standard);

/**
 * Every setting of a gate: its variable, shape, default, and what it is for. `<variable>_FILE`
 * names a secret.
 */
export const GATE_SETTINGS = {
  apiUrl: SCHEDULERS_SETTING,
  gateSecret: secret("SKEP_GATE_SECRET", z.string().min(16).optional(), "what it shows to the schedulers"),
  brokerHost: setting("SKEP_BROKER_HOST", z.string().default("localhost"), "where the broker is"),
  brokerPort: setting("SKEP_BROKER_PORT", port(1883), "its port"),
  brokerUser: setting("SKEP_BROKER_USER", z.string().default("gate"), "who the gate is at the broker"),
  brokerPassword: secret("SKEP_BROKER_PASSWORD", z.string().default(""), "its password there"),
  mqttPort: setting("SKEP_MQTT_PORT", port(1883), "where devices connect by MQTT"),
  webSocketPort: setting("SKEP_MQTT_WEBSOCKET_PORT", port(8083), "where devices connect by MQTT over WebSocket"),
  behindProxy: setting(
    "SKEP_PROXY_PROTOCOL",
    z.enum(["yes", "no"]).default("no"),
    "`yes` where a proxy that speaks the PROXY protocol is before it, so that bans mean devices and not the proxy",
  ),
  mostConnections: setting("SKEP_MQTT_CONNECTIONS", z.coerce.number().int().min(1).default(20_000), "most at once"),
  mostBytes: setting(
    "SKEP_MQTT_PACKET_BYTES",
    z.coerce.number().int().min(1_024).max(MOST_MESSAGE_BYTES, PAST_BROKER).default(MOST_MESSAGE_BYTES),
    "bytes of the largest packet; whoever sends a larger one is disconnected",
  ),
  mostPackets: setting(
    "SKEP_MQTT_PACKETS_PER_SECOND",
    z.coerce.number().int().min(1).default(1_000),
    "packets of one device in a second; one that sends more is read more slowly",
  ),
  mostHeld: setting(
    "SKEP_MQTT_HELD",
    z.coerce.number().int().min(1).default(100_000),
    "messages of all devices that may wait to be stored; beyond it each device has 4 at most",
  ),
  probePort: setting("SKEP_GATE_PROBE_PORT", port(7704), "where /livez and /readyz are served"),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
} as const;

/** The configuration of a gate. */
export type GateConfig = ConfigOf<typeof GATE_SETTINGS>;

/** Reads it from the environment. @throws ConfigError that names every problem. */
export function readGateConfig(): GateConfig {
  return loadConfig(GATE_SETTINGS);
}
