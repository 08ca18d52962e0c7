import { loadConfig, secret, setting, type ConfigOf, type Environment } from "@skep/kit/config.ts";
import { isHostAddress } from "@skep/core/workspace/reach.ts";
import { z } from "zod";
import { SCHEDULERS_SETTING } from "./schedulers.ts";

/**
 * Every setting of a host of workspaces: its variable, shape, default, and what it is for.
 * `<variable>_FILE` names a secret.
 */
export const HOST_SETTINGS = {
  apiUrl: SCHEDULERS_SETTING,
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
  eventsPort: setting(
    "SKEP_EVENTS_PORT",
    z.coerce.number().int().min(0).max(65_535).default(7704),
    "where sockets and data of workspaces are served",
  ),
  hostAddress: setting(
    "SKEP_HOST_ADDRESS",
    z
      .string()
      .refine(text => text === "" || isHostAddress(text), { error: "use a host name or an address" })
      .default(""),
    "name or address at which schedulers and edges reach a shared host; where it calls from by default",
  ),
  trustedProxies: setting(
    "SKEP_TRUSTED_PROXIES",
    z.string().default(""),
    "networks of the proxies whose X-Forwarded-For is believed, commas between several",
  ),
  mongoUrl: secret(
    "SKEP_MONGODB_URL",
    z.string().default("mongodb://localhost:27017"),
    "the MongoDB of workspaces without a database of their own",
  ),
  mongoInitiate: setting(
    "SKEP_MONGODB_INITIATE",
    z.enum(["yes", "no"]).default("no"),
    "`yes` where that MongoDB is the host's own and is to become a replica set of one",
  ),
  allowedDatabaseHosts: setting(
    "SKEP_ALLOWED_DATABASE_HOSTS",
    z.string().default(""),
    "hosts of the platform's own network that a tenant's own database or S3 server may be on, commas between several",
  ),
  allowedWebhookHosts: setting(
    "SKEP_ALLOWED_WEBHOOK_HOSTS",
    z.string().default(""),
    "hosts of the platform's own network that webhooks may go to, also by plain HTTP, commas between several",
  ),
  mqttUrl: setting("SKEP_MQTT_URL", z.string().default("mqtt://localhost:1883"), "the broker that devices publish to"),
  mqttUsername: setting("SKEP_MQTT_USERNAME", z.string().default(""), "as whom the host reads and publishes there"),
  mqttPassword: secret("SKEP_MQTT_PASSWORD", z.string().optional(), "the password of that user"),
  mqttCaFile: setting("SKEP_MQTT_CA", z.string().default(""), "file of certificates that are trusted there, PEM"),
  messagesPerSecond: setting(
    "SKEP_HOST_MESSAGES_PER_SECOND",
    z.coerce.number().int().min(0).default(10_000),
    "messages that one shared workspace may store in a second where its record says nothing; 0 for all that come",
  ),
  s3Url: setting(
    "SKEP_S3_URL",
    z.url({ protocol: /^https?$/ }).optional(),
    "the S3 server of files; without, files are off",
  ),
  s3PublicUrl: setting(
    "SKEP_S3_PUBLIC_URL",
    z.url({ protocol: /^https?$/ }).optional(),
    "where people and devices reach it, for links",
  ),
  s3Region: setting("SKEP_S3_REGION", z.string().default("us-east-1"), "what that server calls its region"),
  s3Bucket: setting(
    "SKEP_S3_BUCKET",
    z.string().min(1).default("skep"),
    "the bucket of files, made where it is missing",
  ),
  s3AccessKey: setting("SKEP_S3_ACCESS_KEY", z.string().min(1).default("skep"), "the name of the key there"),
  s3SecretKey: secret("SKEP_S3_SECRET_KEY", z.string().min(1).optional(), "the secret of that key"),
  s3Regions: secret(
    "SKEP_S3_REGIONS",
    z.string().optional(),
    "several regions as JSON, in the place of the six above; each file is in all of them",
  ),
  redisUrl: secret("SKEP_REDIS_URL", z.string().optional(), "the Redis through which replicas share events"),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
} as const;

/** The configuration of a host. */
export type HostConfig = ConfigOf<typeof HOST_SETTINGS>;

/** Reads it from the environment. @throws ConfigError that names every problem. */
export function readHostConfig(environment?: Environment): HostConfig {
  return environment === undefined ? loadConfig(HOST_SETTINGS) : loadConfig(HOST_SETTINGS, environment);
}
