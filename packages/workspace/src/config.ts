import { loadConfig, secret, setting, type ConfigOf, type Environment } from "@skep/kit/config.ts";
import { z } from "zod";

/**
 * Every setting of a host of workspaces: its variable, shape, default, and what it is for.
 * `<variable>_FILE` names a secret.
 */
export const HOST_SETTINGS = {
  apiUrl: setting(
    "SKEP_URL",
    z
      .string()
      .default("http://localhost:7700")
      .refine(text => text.split(",").every(one => URL.canParse(one.trim())), { error: "use http://host:port" }),
    "where the schedulers are, commas between several",
  ),
  hostSecret: secret(
    "SKEP_HOST_SECRET",
    z.string().min(16).optional(),
    "the secret of the shared hosts' service, or of one standalone workspace",
  ),
  nodeId: setting("SKEP_NODE_ID", z.string().default(""), "id of the Swarm node that it runs on"),
  most: setting("SKEP_HOST_WORKSPACES", z.coerce.number().int().min(1).default(200), "most workspaces that it runs"),
  probePort: setting(
    "SKEP_PROBE_PORT",
    z.coerce.number().int().min(0).max(65_535).default(7703),
    "where /livez and /readyz are served",
  ),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
} as const;

/** The configuration of a host. */
export type HostConfig = ConfigOf<typeof HOST_SETTINGS>;

/** Reads it from the environment. @throws ConfigError that names every problem. */
export function readHostConfig(environment?: Environment): HostConfig {
  return environment === undefined ? loadConfig(HOST_SETTINGS) : loadConfig(HOST_SETTINGS, environment);
}
