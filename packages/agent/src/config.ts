import { reservedWithin } from "@skep/core/model/host-ports.ts";
import { ConfigError, loadConfig, secret, setting, type ConfigOf, type Environment } from "@skep/kit/config.ts";
import { z } from "zod";
import { parseBlock } from "@skep/core/network/block.ts";

const port = z.coerce.number().int().min(1).max(65_535);
const pool = z
  .string()
  .refine(text => (parseBlock(text)?.bits ?? 32) <= 24, "give an IPv4 block of at most 24 bits, such as 10.201.0.0/16");

/** Every setting of the agent: its variable, its shape with its default, and what it is for. */
export const SETTINGS = {
  natsUrl: setting("SKEP_NATS_URL", z.string().default("nats://nats:4222"), "addresses of NATS, separated by commas"),
  natsUser: setting("SKEP_NATS_USER", z.string().default("agent"), "the agents' user at NATS"),
  natsPassword: secret("SKEP_NATS_PASSWORD", z.string().optional(), "the password of that user"),
  natsJoinSecret: secret(
    "SKEP_NATS_JOIN_SECRET",
    z.string().optional(),
    "what the first agent of a node shows; without it the agent is the user above",
  ),
  probePort: setting("SKEP_PROBE_PORT", port.default(7702), "where /livez is served, for peers and health checks"),
  stateDir: setting("SKEP_STATE_DIR", z.string().default("/var/lib/skep"), "a directory that outlives the agent"),
  dockerSocket: setting("SKEP_DOCKER_SOCKET", z.string().default("/var/run/docker.sock"), "the engine's socket"),
  pauseImage: setting(
    "SKEP_PAUSE_IMAGE",
    z.string().default("skep/pause:latest"),
    "image of the sandbox that holds a pod's network",
  ),
  // A pool that neither Docker's defaults (172.17 to 172.31, 192.168) nor Swarm's (10.0 to 10.10)
  // reach into.
  networkPool: setting(
    "SKEP_NETWORK_POOL",
    pool.default("10.201.0.0/16"),
    "block out of which each tenant's bridge gets a /24",
  ),
  cgroupRoot: setting("SKEP_CGROUP_ROOT", z.string().default("/sys/fs/cgroup"), "the node's control groups"),
  procRoot: setting("SKEP_PROC_ROOT", z.string().default("/proc"), "the node's /proc"),
  portFrom: setting("SKEP_PORT_FROM", port.default(20_000), "first host port for tenants"),
  portTo: setting("SKEP_PORT_TO", port.default(29_999), "last host port for tenants"),
  maxInstances: setting(
    "SKEP_MAX_INSTANCES",
    z.coerce.number().int().min(1).default(100),
    "most instances on this node",
  ),
  // A start waits now and then for the disk and the network: with one more than there are cores,
  // none of them is idle.
  startLimit: setting(
    "SKEP_START_LIMIT",
    z.coerce.number().int().min(1).optional(),
    "most containers started at once; absent means one more than there are cores",
  ),
  registryAuth: secret(
    "SKEP_REGISTRY_AUTH",
    z.string().optional(),
    "credentials for registries: what is `shared`, and what each of the `tenants` has, as Docker's config.json",
  ),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
} as const;

/** The agent's configuration. */
export type Config = ConfigOf<typeof SETTINGS>;

/** @throws ConfigError that names every problem at once. */
export function readConfig(environment?: Environment): Config {
  const config = loadConfig(SETTINGS, environment);
  const { portFrom, portTo } = config;
  const reserved = reservedWithin({ from: portFrom, to: portTo });
  if (portFrom > portTo || reserved.length > 0) {
    const why = portFrom > portTo ? "is empty" : `holds ${reserved.slice(0, 3).join(", ")}, which no tenant may have`;
    throw new ConfigError([
      `SKEP_PORT_FROM=${portFrom} to SKEP_PORT_TO=${portTo} ${why}: choose a range such as 20000 to 29999.`,
    ]);
  }
  return config;
}
