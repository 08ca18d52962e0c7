import { loadConfig, setting, type ConfigOf, type Environment } from "@skep/kit/config.ts";
import { z } from "zod";

const port = z.coerce.number().int().min(1).max(65_535);

/** Every setting of netd: its variable, its shape with its default, and what it is for. */
export const NETD_SETTINGS = {
  socket: setting("SKEP_NETD_SOCKET", z.string().default("/run/skep/netd/netd.sock"), "where the agent finds netd"),
  stateDir: setting("SKEP_STATE_DIR", z.string().default("/var/lib/skep"), "a directory that outlives netd"),
  probePort: setting("SKEP_NETD_PORT", port.default(7704), "where /livez is served, on the loopback alone"),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
} as const;

/** The configuration of netd. */
export type NetdConfig = ConfigOf<typeof NETD_SETTINGS>;

/** @throws ConfigError that names every problem at once. */
export function readNetdConfig(environment?: Environment): NetdConfig {
  return loadConfig(NETD_SETTINGS, environment);
}
