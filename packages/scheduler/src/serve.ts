/// <reference lib="esnext.disposable" preserve="true" />
import { openApiJson } from "@skep/api/gen/openapi.ts";
import { VERSION } from "@skep/api/gen/version.ts";
import { permissionOf } from "@skep/api/permissions.ts";
import { SERVICES } from "@skep/api/services.ts";
import { aGate, anOperator, type Principal } from "@skep/core/access/principal.ts";
import { systemClock } from "@skep/kit/clock.ts";
import { showConfig } from "@skep/kit/config.ts";
import type { Life } from "@skep/kit/lifecycle.ts";
import type { Log } from "@skep/kit/log.ts";
import { createNatsBus } from "@skep/kit/nats-bus.ts";
import { createPool } from "@skep/kit/postgres.ts";
import { systemIds, systemRandom } from "@skep/kit/random.ts";
import { retry } from "@skep/kit/retry.ts";
import { hostname } from "node:os";
import { createHandlers } from "./api/handlers.ts";
import {
  defaultLimitsOf,
  defaultQuotaOf,
  podsOf,
  poolOf,
  retentionOf,
  SCHEDULER_SETTINGS,
  settingsOf,
  type SchedulerConfig,
} from "./config.ts";
import { createAskEdge } from "./edge/ask-edge.ts";
import { startEdgeServer } from "./edge/edge-server.ts";
import { knowTokens, type AuthOptions } from "@skep/server/auth.ts";
import { startServer } from "@skep/server/server.ts";
import { limitsOf } from "@skep/server/settings.ts";
import { PODS_UNSET } from "./loop/pod-news.ts";
import { createPostgresStore, SESSION_SETTINGS, type PostgresStore } from "./store/postgres/postgres-store.ts";
import { keepTables } from "./store/postgres/keep-tables.ts";
import { createHostTokens } from "./join/host-tokens.ts";
import { createKick } from "./join/kick.ts";
import { createScheduler, type Scheduler, type SchedulerDeps } from "./create-scheduler.ts";

/**
 * Opens everything a scheduler needs and starts it; what was opened is closed in reverse by `life`.
 */
export async function serve(config: SchedulerConfig, log: Log, life: Life): Promise<void> {
  log.info("config.read", "The configuration is complete.", showConfig(SCHEDULER_SETTINGS, config));
  const store = openStore(config, log, DAILY_WORK);
  life.stack.defer(() => store.close());
  const bus = createNatsBus({
    servers: config.natsUrl.split(","),
    name: "scheduler",
    ...(config.natsUser === undefined ? {} : { user: config.natsUser, inboxPrefix: `_INBOX_${config.natsUser}` }),
    ...(config.natsPassword === undefined ? {} : { password: config.natsPassword }),
    log,
  });
  life.stack.defer(() => bus.close());
  const pods = podsOf(config);
  const scheduler = createScheduler({
    ...{ store, bus, clock: systemClock, log, random: systemRandom, ids: systemIds, settings: settingsOf(config) },
    ...{ fixedPorts: config.fixedPorts, routesMaxAgeMs: config.routesMaxAgeMs, pool: poolOf(config) },
    askEdge: createAskEdge(config.edgeHttpPort),
    ...{ retention: retentionOf(config), defaultQuota: defaultQuotaOf(config) },
    defaultLimits: defaultLimitsOf(config),
    ...{ reservedDomains: config.reservedDomains, databaseHosts: config.databaseHosts },
    ...(config.workspacesDomain === undefined ? {} : { workspacesDomain: config.workspacesDomain }),
    webhookHosts: config.webhookHosts,
    ...{ name: config.name ?? hostname(), version: VERSION, leaseMs: config.leaseMs, probePort: config.probePort },
    isHosting: true,
    ...(pods === undefined ? { whyNoPods: PODS_UNSET } : { pods, podEdgePort: config.edgeHttpPort }),
    ...joinOf(config),
  });
  life.stack.defer(() => scheduler.stop());
  // The listeners come first: a scheduler that waits for its database is alive, answers
  // `unavailable`, and says why.
  await listen(config, log, life, store, scheduler);
  await migrate(config, log, life.signal);
  if (life.signal.aborted) return;
  scheduler.start();
  const again = (): Promise<void> => migrate(config, log, life.signal);
  const keeping = keepTables({ store, clock: systemClock, log, migrate: again }, life.signal);
  life.stack.defer(() => keeping);
}

const HOUR_MS = 3_600_000;

/** How agents are let into the bus; nothing where NATS lets them in by itself. */
function joinOf(config: SchedulerConfig): Pick<SchedulerDeps, "join"> {
  const { natsIssuerSeed: issuerSeed, natsSystemSeed, natsJoinSecret: joinSecret } = config;
  if (issuerSeed === undefined || natsSystemSeed === undefined || joinSecret === undefined) return {};
  return { join: { issuerSeed, joinSecret, kick: createKick(config.natsUrl.split(","), natsSystemSeed) } };
}

/** How many connections a store has, and how long each of its statements may take. */
interface Share {
  readonly maxConnections: number;
  readonly statementTimeoutMs: number;
}

const DAILY_WORK: Share = { maxConnections: 12, statementTimeoutMs: 5_000 };
/**
 * An index over a table that has grown takes its time, and the other replicas wait for the one that
 * makes it.
 */
const MIGRATION: Share = { maxConnections: 2, statementTimeoutMs: 30 * 60_000 };

function openStore(config: SchedulerConfig, log: Log, share: Share): PostgresStore {
  const pool = createPool({
    host: config.postgresHost,
    port: config.postgresPort,
    user: config.postgresUser,
    database: config.postgresDatabase,
    password: config.postgresPassword,
    ...share,
    name: "skep scheduler",
    connectTimeoutMs: 1_000,
    settings: SESSION_SETTINGS,
    onIdleError: error => log.debug("database.lost", "A connection to the database broke.", { error }),
  });
  return createPostgresStore(pool, Date.now, config.keepDomainsHours * HOUR_MS);
}

/** The operator's token, and what hosts and gates show. */
function knowCallers(
  { apiToken, hostSecret: serviceSecret, gateSecret }: SchedulerConfig,
  { api }: Scheduler,
): AuthOptions["authenticate"] {
  const gates = gateSecret === undefined ? [] : [[gateSecret, aGate()] as const];
  const operators = apiToken === undefined ? [] : [[apiToken, anOperator("operator")] as const];
  const isKnown = knowTokens(new Map<string, Principal>([...gates, ...operators]));
  const hosts = createHostTokens({ store: api.store, clock: api.clock, serviceSecret });
  return async token => (await isKnown(token)) ?? (await hosts.authenticate(token));
}

async function listen(
  config: SchedulerConfig,
  log: Log,
  life: Life,
  store: PostgresStore,
  scheduler: Scheduler,
): Promise<void> {
  const api = await startServer({
    port: config.apiPort,
    routes: createHandlers(scheduler.api),
    services: SERVICES,
    auth: {
      authenticate: knowCallers(config, scheduler),
      permissionOf,
      ...(config.apiToken === undefined ? { isOpen: true } : {}),
    },
    ready: { database: () => store.ping().then(() => undefined) },
    origins: config.origins,
    limits: limitsOf(config),
    openApi: openApiJson,
    log,
  });
  life.stack.defer(() => api.close(3_000));
  const edge = await startEdgeServer({ port: config.edgePort, log, routes: () => scheduler.routes.current() });
  life.stack.defer(() => edge.close(0));
  log.info("scheduler.listening", "The API and the routes are served.", { apiPort: api.port, edgePort: edge.port });
  if (config.apiToken === undefined)
    log.warn("api.open", "SKEP_API_OPEN is yes: everybody who reaches the API may do everything.");
}

/** The tables have to be there before anything else; a database that is away is waited for. */
async function migrate(config: SchedulerConfig, log: Log, signal: AbortSignal): Promise<void> {
  const policy = {
    maxMs: 1_000,
    onRetry: (error: unknown, attempt: number) => {
      if (attempt === 1)
        log.warn("database.unreached", "The tables cannot be made yet; trying until they can.", { error });
    },
  };
  const store = openStore(config, log, MIGRATION);
  try {
    await retry(() => store.migrate(), policy, systemClock, signal);
  } finally {
    await store.close();
  }
  log.info("database.ready", "The tables are there.");
}
