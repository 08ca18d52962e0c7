import { parsePortRanges } from "@skep/core/model/host-ports.ts";
import { MOST_COMMIT_SHARE } from "@skep/core/model/lease.ts";
import { BOUNDS } from "@skep/core/model/bounds.ts";
import { DEFAULT_RESOURCES } from "@skep/core/model/resources.ts";
import type { Limits } from "@skep/core/model/resources.ts";
import { formatBlock, parseBlock } from "@skep/core/network/block.ts";
import { DEFAULT_POOL, type Pool } from "@skep/core/network/blocks.ts";
import type { Quota } from "@skep/core/model/tenant.ts";
import { DEFAULT_SETTINGS, type Settings } from "@skep/core/world/world.ts";
import type { PodSettings } from "@skep/core/workspace/pod-spec.ts";
import { ROUTES_MAX_AGE_MS } from "./edge/routes-view.ts";
import { ConfigError, loadConfig, secret, setting, type ConfigOf, type Environment } from "@skep/kit/config.ts";
import { SERVER_SETTINGS } from "@skep/server/settings.ts";
import { z } from "zod";
import { KEEP_DOMAINS_MS } from "./store/keep-domains.ts";
import { DEFAULT_RETENTION, type Retention } from "./loop/retention-settings.ts";

const port = (otherwise: number) => z.coerce.number().int().min(0).max(65_535).default(otherwise);
const ms = (otherwise: number) => z.coerce.number().int().min(1).default(otherwise);

/** 200 instances, as large as a container is that says nothing. */
const DEFAULT_QUOTA = { instances: 200, cpuMillis: 200_000, memoryBytes: 100 * 2 ** 30 };
const bound = (otherwise: number) => z.coerce.number().int().min(0).default(otherwise);
/** As a spec may say it itself. */
const limit = (of: keyof Limits) =>
  z.coerce.number().int().min(BOUNDS[of].least).max(BOUNDS[of].most).default(DEFAULT_RESOURCES[of]);
/** Names with commas between. */
/** A pod has a loopback of its own. */
function isReachedByPods(text: string): boolean {
  const url = URL.parse(text.trim());
  if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
  return !/^(localhost|.*\.localhost|127\..*|\[::1\]|0\.0\.0\.0)$/.test(url.hostname);
}

const names = z
  .string()
  .default("")
  .transform(text =>
    text
      .split(",")
      .map(name => name.trim())
      .filter(Boolean),
  );
const DAY_MS = 24 * 3_600_000;
const days = (otherwiseMs: number) =>
  z.coerce
    .number()
    .int()
    .min(1)
    .default(otherwiseMs / DAY_MS);

/**
 * Every setting of the scheduler: its variable, shape, default, and what it is for.
 * `<variable>_FILE` names a secret.
 */
export const SCHEDULER_SETTINGS = {
  ...SERVER_SETTINGS,
  postgresHost: setting("SKEP_POSTGRES_HOST", z.string().default("localhost"), "where Postgres is"),
  postgresPort: setting("SKEP_POSTGRES_PORT", port(5432), "its port"),
  postgresUser: setting("SKEP_POSTGRES_USER", z.string().default("skep"), "its user"),
  postgresDatabase: setting("SKEP_POSTGRES_DATABASE", z.string().default("skep"), "its database"),
  postgresPassword: secret("SKEP_POSTGRES_PASSWORD", z.string().optional(), "its password"),
  natsUrl: setting(
    "SKEP_NATS_URL",
    z.string().default("nats://localhost:4222"),
    "where NATS is, commas between several",
  ),
  natsUser: setting("SKEP_NATS_USER", z.string().optional(), "its user"),
  natsPassword: secret("SKEP_NATS_PASSWORD", z.string().optional(), "its password"),
  natsIssuerSeed: secret(
    "SKEP_NATS_ISSUER_SEED",
    z.string().startsWith("SA").optional(),
    "seed of the account key that signs the agents' users",
  ),
  natsSystemSeed: secret(
    "SKEP_NATS_SYSTEM_SEED",
    z.string().startsWith("SU").optional(),
    "seed of the key that may end connections at NATS",
  ),
  natsJoinSecret: secret("SKEP_NATS_JOIN_SECRET", z.string().min(16).optional(), "what a node's first agent shows"),
  apiToken: secret("SKEP_API_TOKEN", z.string().min(16).optional(), "the operator's token, 16 characters or more"),
  hostSecret: secret(
    "SKEP_HOST_SECRET",
    z.string().min(16).optional(),
    "what processes of the shared hosts' service show to get a token, 16 characters or more",
  ),
  gateSecret: secret(
    "SKEP_GATE_SECRET",
    z.string().min(16).optional(),
    "what the gates before brokers show, 16 characters or more",
  ),
  apiOpen: setting(
    "SKEP_API_OPEN",
    z.enum(["yes", "no"]).default("no"),
    "`yes` lets everybody who reaches the API do everything, instead of a token: for tests on the loopback",
  ),
  apiPort: setting("SKEP_API_PORT", port(7700), "where the API listens"),
  edgePort: setting("SKEP_EDGE_PORT", port(7701), "where the routes are served to Traefik"),
  probePort: setting("SKEP_PROBE_PORT", port(7702), "where agents answer their peers"),
  name: setting("SKEP_REPLICA_NAME", z.string().optional(), "name of this replica; its hostname where absent"),
  logLevel: setting("SKEP_LOG_LEVEL", z.enum(["debug", "info", "warn", "error"]).default("info"), "how much is logged"),
  leaseMs: setting("SKEP_LEASE_MS", ms(3_000), "how long a leader's lease holds"),
  suspectAfterMs: setting(
    "SKEP_SUSPECT_AFTER_MS",
    ms(DEFAULT_SETTINGS.suspectAfterMs),
    "silence that makes a node suspect",
  ),
  downAfterMs: setting("SKEP_DOWN_AFTER_MS", ms(DEFAULT_SETTINGS.downAfterMs), "silence that makes a node down"),
  edgeSettleMs: setting(
    "SKEP_EDGE_SETTLE_MS",
    ms(DEFAULT_SETTINGS.edgeSettleMs),
    "how long a retired instance still runs",
  ),
  startDeadlineMs: setting("SKEP_START_DEADLINE_MS", ms(DEFAULT_SETTINGS.startDeadlineMs), "how long a start may take"),
  moveGraceMs: setting(
    "SKEP_MOVE_GRACE_MS",
    ms(DEFAULT_SETTINGS.moveGraceMs),
    "how long a moved instance's old copy may be unwell before it stops",
  ),
  exclusiveLeaseMs: setting(
    "SKEP_EXCLUSIVE_LEASE_MS",
    ms(DEFAULT_SETTINGS.exclusiveLeaseMs),
    "how long an exclusive instance may run without a word from a scheduler",
  ),
  keepStoppedMs: setting(
    "SKEP_KEEP_STOPPED_MS",
    ms(DEFAULT_SETTINGS.keepStoppedMs),
    "how long stopped records are kept",
  ),
  edgeHttpPort: setting("SKEP_EDGE_HTTP_PORT", port(80), "where the edge of every node takes HTTP"),
  routesMaxAgeMs: setting(
    "SKEP_ROUTES_MAX_AGE_MS",
    ms(ROUTES_MAX_AGE_MS),
    "how old the routes served to edges may be while Postgres is away",
  ),
  fixedPorts: setting(
    "SKEP_FIXED_PORTS",
    z
      .string()
      .default("")
      .transform(parsePortRanges)
      .refine(ranges => ranges !== undefined, {
        error: "use ports and ranges such as 8080,9000-9010, of 1024 and above and none of the platform's own",
      })
      .transform(ranges => ranges ?? []),
    "host ports that deployments may fix, such as 8080,9000-9010",
  ),
  portQuarantineMs: setting(
    "SKEP_PORT_QUARANTINE_MS",
    ms(DEFAULT_SETTINGS.portQuarantineMs),
    "how long a host port waits before another tenant may have it",
  ),
  memoryOvercommit: setting(
    "SKEP_MEMORY_OVERCOMMIT",
    z.coerce.number().min(1).max(1_000).default(DEFAULT_SETTINGS.memoryOvercommit),
    "how many times a node's memory the limits of its containers may come to",
  ),
  tenantsOnManagers: setting(
    "SKEP_TENANTS_ON_MANAGERS",
    z.enum(["avoid", "never", "allow"]).default(DEFAULT_SETTINGS.tenantsOnManagers),
    "whether tenants run on nodes of the control plane: `avoid` where another node can take them, `never`, `allow`",
  ),
  addressPool: setting(
    "SKEP_ADDRESS_POOL",
    z
      .string()
      .default(formatBlock(DEFAULT_POOL.block))
      .refine(text => parseBlock(text) !== undefined, { error: "give an IPv4 block such as 10.128.0.0/10" }),
    "out of which each node gets its block of addresses; nothing else may use them",
  ),
  addressBlockBits: setting(
    "SKEP_ADDRESS_BLOCK_BITS",
    z.coerce.number().int().min(16).max(28).default(DEFAULT_POOL.nodeBits),
    "bits of a node's block: 20 is 4,096 addresses",
  ),
  defaultInstances: setting(
    "SKEP_DEFAULT_QUOTA_INSTANCES",
    bound(DEFAULT_QUOTA.instances),
    "instances that a new tenant may have, 0 for any number",
  ),
  defaultCpuMillis: setting(
    "SKEP_DEFAULT_QUOTA_CPU_MILLIS",
    bound(DEFAULT_QUOTA.cpuMillis),
    "thousandths of a core that a new tenant's limits may come to, 0 for any number",
  ),
  defaultMemoryBytes: setting(
    "SKEP_DEFAULT_QUOTA_MEMORY_BYTES",
    bound(DEFAULT_QUOTA.memoryBytes),
    "bytes that a new tenant's limits may come to, 0 for any number",
  ),
  limitCpuMillis: setting(
    "SKEP_DEFAULT_LIMIT_CPU_MILLIS",
    limit("cpuMillis"),
    "thousandths of a core that a container may use that says no limit",
  ),
  limitMemoryBytes: setting(
    "SKEP_DEFAULT_LIMIT_MEMORY_BYTES",
    limit("memoryBytes"),
    "bytes of memory that a container may use that says no limit",
  ),
  limitPids: setting("SKEP_DEFAULT_LIMIT_PIDS", limit("pids"), "processes of a container that says no limit"),
  databaseHosts: setting(
    "SKEP_WORKSPACE_DATABASE_HOSTS",
    names,
    "hosts in the platform's own network that workspaces may have as their database or S3 server, commas between; .example.internal is all below it",
  ),
  webhookHosts: setting(
    "SKEP_WORKSPACE_WEBHOOK_HOSTS",
    names,
    "hosts in the platform's own network that webhooks of workspaces may go to, also by plain HTTP; commas between",
  ),
  podApiUrl: setting(
    "SKEP_WORKSPACE_API_URL",
    z
      .string()
      .refine(text => text === "" || text.split(",").every(isReachedByPods), {
        error: "use http://host:port, commas between several; localhost is the pod itself",
      })
      .optional(),
    "where the pods of standalone workspaces reach the schedulers, such as http://10.0.0.11:7700, commas between several",
  ),
  podImage: setting(
    "SKEP_WORKSPACE_IMAGE",
    z.string().min(1).default("skep/workspace:latest"),
    "image of the host in such a pod",
  ),
  podMosquittoImage: setting(
    "SKEP_MOSQUITTO_IMAGE",
    z.string().min(1).default("eclipse-mosquitto:2.0"),
    "image of the broker in such a pod",
  ),
  podMongoImage: setting(
    "SKEP_MONGO_IMAGE",
    z.string().min(1).default("mongo:6.0"),
    "image of the database in such a pod",
  ),
  podVersitygwImage: setting(
    "SKEP_VERSITYGW_IMAGE",
    z.string().min(1).default("versity/versitygw:v1.8.0"),
    "image of the S3 server in such a pod",
  ),
  reservedDomains: setting(
    "SKEP_RESERVED_DOMAINS",
    names,
    "domains that no tenant may route, commas between; .example.com is all below it",
  ),
  workspacesDomain: setting(
    "SKEP_WORKSPACES_DOMAIN",
    z
      .string()
      .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, "name a domain such as iot.example.com")
      .optional(),
    "the only domain at which edges lead to workspaces; no tenant may route it",
  ),
  keepDomainsHours: setting(
    "SKEP_KEEP_DOMAINS_HOURS",
    z.coerce
      .number()
      .int()
      .min(0)
      .default(KEEP_DOMAINS_MS / 3_600_000),
    "how long a domain that nothing routes any more is kept for its tenant",
  ),
  keepReleases: setting(
    "SKEP_KEEP_RELEASES",
    z.coerce.number().int().min(1).default(DEFAULT_RETENTION.releases),
    "how many releases of a deployment are kept",
  ),
  keepDecisionsDays: setting(
    "SKEP_KEEP_DECISIONS_DAYS",
    days(DEFAULT_RETENTION.decisionsMs),
    "how long events are kept",
  ),
  keepAuditDays: setting("SKEP_KEEP_AUDIT_DAYS", days(DEFAULT_RETENTION.auditMs), "how long the audit log is kept"),
} as const;

/** The scheduler's configuration. */
export type SchedulerConfig = ConfigOf<typeof SCHEDULER_SETTINGS>;

/**
 * Reads it from the environment. There is a token, or the API is open because somebody said so.
 * @throws ConfigError that names every problem.
 */
export function readConfig(environment?: Environment): SchedulerConfig {
  const config =
    environment === undefined ? loadConfig(SCHEDULER_SETTINGS) : loadConfig(SCHEDULER_SETTINGS, environment);
  const joining = [config.natsIssuerSeed, config.natsSystemSeed, config.natsJoinSecret];
  if (joining.includes(undefined) && joining.some(one => one !== undefined))
    throw new ConfigError([
      "Of SKEP_NATS_ISSUER_SEED, SKEP_NATS_SYSTEM_SEED and SKEP_NATS_JOIN_SECRET some are set and some are not: " +
        "agents join the bus with all three, or NATS lets them in by itself with none.",
    ]);
  if (config.apiToken === undefined && config.apiOpen === "no")
    throw new ConfigError([
      "SKEP_API_TOKEN is not set, and without it everybody could do everything: name a file with the operator's token " +
        "by SKEP_API_TOKEN_FILE, or set SKEP_API_OPEN=yes where nobody else can reach the API.",
    ]);
  if (config.apiToken !== undefined && config.apiOpen === "yes")
    throw new ConfigError(["SKEP_API_OPEN is yes though there is a SKEP_API_TOKEN: keep one of them."]);
  if (config.portQuarantineMs < config.routesMaxAgeMs + LEAST_MARGIN_MS)
    throw new ConfigError([
      `SKEP_PORT_QUARANTINE_MS=${config.portQuarantineMs} is too short: an edge may hold routes that are ` +
        `SKEP_ROUTES_MAX_AGE_MS=${config.routesMaxAgeMs} old, so give it ${LEAST_MARGIN_MS} more than that at least.`,
    ]);
  if (config.leaseMs > config.exclusiveLeaseMs * MOST_COMMIT_SHARE)
    throw new ConfigError([
      `SKEP_EXCLUSIVE_LEASE_MS=${config.exclusiveLeaseMs} is too short: a commit may be SKEP_LEASE_MS=${config.leaseMs} ` +
        `late, so give it ${1 / MOST_COMMIT_SHARE} times as much at least.`,
    ]);
  const { block, nodeBits } = poolOf(config);
  if (nodeBits < block.bits || nodeBits > block.bits + MOST_BLOCKS_BITS)
    throw new ConfigError([
      `SKEP_ADDRESS_POOL=${config.addressPool} cannot be given out in blocks of SKEP_ADDRESS_BLOCK_BITS=${nodeBits}: ` +
        `use ${block.bits} to ${block.bits + MOST_BLOCKS_BITS}.`,
    ]);
  return config;
}

/** More blocks than a fleet has nodes. */
const MOST_BLOCKS_BITS = 16;

/** Out of which addresses nodes get their blocks. */
export function poolOf({ addressPool, addressBlockBits }: SchedulerConfig): Pool {
  return { block: parseBlock(addressPool)!, nodeBits: addressBlockBits };
}

/**
 * What an edge may add to the age of the routes it was served: polls that fail, and applying them.
 */
const LEAST_MARGIN_MS = 30_000;

/** The part that decisions are made by. */
export function settingsOf(config: SchedulerConfig): Settings {
  const { suspectAfterMs, downAfterMs, edgeSettleMs, startDeadlineMs, moveGraceMs, keepStoppedMs } = config;
  const { portQuarantineMs, memoryOvercommit, tenantsOnManagers, exclusiveLeaseMs } = config;
  return {
    memoryOvercommit,
    tenantsOnManagers,
    suspectAfterMs,
    downAfterMs,
    edgeSettleMs,
    startDeadlineMs,
    moveGraceMs,
    keepStoppedMs,
    portQuarantineMs,
    exclusiveLeaseMs,
  };
}

/** How long history is kept. */
export function retentionOf(config: SchedulerConfig): Retention {
  return {
    ...DEFAULT_RETENTION,
    domainsMs: config.keepDomainsHours * 3_600_000,
    releases: config.keepReleases,
    decisionsMs: config.keepDecisionsDays * DAY_MS,
    auditMs: config.keepAuditDays * DAY_MS,
  };
}

/** What the pods of standalone workspaces are made of; `undefined` where they would find nobody. */
export function podsOf(config: SchedulerConfig): PodSettings | undefined {
  const { podApiUrl: apiUrl, podImage: workspace, podMosquittoImage: mosquitto, podMongoImage: mongo } = config;
  if (apiUrl === undefined || apiUrl === "") return undefined;
  const { databaseHosts, webhookHosts, podVersitygwImage: versitygw } = config;
  return { apiUrl, images: { workspace, mosquitto, mongo, versitygw }, databaseHosts, webhookHosts };
}

/** The limits of a container that says none; one that reserves more gets as much as it reserves. */
export function defaultLimitsOf(config: SchedulerConfig): Limits {
  return { cpuMillis: config.limitCpuMillis, memoryBytes: config.limitMemoryBytes, pids: config.limitPids };
}

/** The bounds of a new tenant that names none. */
export function defaultQuotaOf(config: SchedulerConfig): Quota {
  return {
    instances: config.defaultInstances || undefined,
    cpuMillis: config.defaultCpuMillis || undefined,
    memoryBytes: config.defaultMemoryBytes || undefined,
  };
}
