import { renewLeases } from "./queries/leases.ts";
import { createVolumes } from "./queries/volumes.ts";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { migrate } from "./migrations/migrate.ts";
import { changeDeployment, getDeployment } from "./queries/change-deployment.ts";
import { commitPlan } from "./queries/commit-plan.ts";
import { createDeployment } from "./queries/create-deployment.ts";
import { listDecisions, saveDecisions } from "./queries/decisions.ts";
import { loadEdge, loadUsage } from "./queries/edge.ts";
import { loadIdentity } from "./queries/identity.ts";
import { markUnrecovered } from "./queries/mark-unrecovered.ts";
import { readLease, releaseLease, takeLease, tellReplica } from "./queries/lease.ts";
import { getTenant, listDeployments, listInstances, listNodes, listRoutes, listTenants } from "./queries/lists.ts";
import { loadAssignment, loadSpec } from "./queries/load-assignment.ts";
import { loadEvidence } from "./queries/load-evidence.ts";
import { createBlocks } from "./queries/blocks.ts";
import { createKeys } from "./queries/node-keys.ts";
import { createWorldReader } from "./queries/load-world.ts";
import { saveBeats, saveFacts, saveLiveness } from "./queries/nodes.ts";
import { recover } from "./queries/recover.ts";
import { loadSerials } from "./queries/serials.ts";
import { listOrphans, loadRemovals, saveOrphans, saveRemovals } from "./queries/removals.ts";
import { pruneHistory } from "./queries/prune.ts";
import { saveReport } from "./queries/report.ts";
import { loadDigests, restoreLocation, saveUsage } from "./queries/status.ts";
import { saveSwarmNodes } from "./queries/swarm-nodes.ts";
import { createDevices } from "./queries/devices.ts";
import { createGates } from "./queries/gates.ts";
import { createPods } from "./queries/pods.ts";
import { createProjects } from "./queries/projects.ts";
import { createRules } from "./queries/rules.ts";
import { createScaling } from "./queries/scaling.ts";
import { createWebhooks } from "./queries/webhooks.ts";
import { createHosting } from "./queries/hosting.ts";
import { createMoves } from "./queries/moves.ts";
import { createWorkspaces } from "./queries/workspaces.ts";
import { createTenant, deleteTenant, updateTenant } from "./queries/tenants.ts";
import { KEEP_DOMAINS_MS } from "../keep-domains.ts";
import { ask, translate } from "./sql.ts";
import type { Store } from "../store.ts";
import type { Tables } from "./tables.ts";

/** Our bigints are times, counts and sizes below 2^53, so they are numbers. */
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** The store on real Postgres, and its migrations. */
export interface PostgresStore extends Store {
  /**
   * Brings the database to this version's shape; see `migrations/migrate.ts`. @throws SkepError.
   */
  migrate(): Promise<void>;
}

/**
 * Settings for the sessions of the store's pool. Every statement is prepared and finds its rows by
 * key, so planning it for each call, or compiling it, only costs time.
 */
export const SESSION_SETTINGS: Readonly<Record<string, string>> = { plan_cache_mode: "force_generic_plan", jit: "off" };

/**
 * Makes the store over a pool (see kit's `createPool`), which it closes with itself. Nothing is
 * connected yet.
 */
export function createPostgresStore(
  pool: pg.Pool,
  now: () => number = Date.now,
  keepDomainsMs = KEEP_DOMAINS_MS,
): PostgresStore {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  return {
    takeLease: (holder, ttlMs, stalled) => takeLease(pool, holder, ttlMs, stalled),
    releaseLease: holder => releaseLease(pool, holder),
    readLease: () => readLease(pool),
    loadWorld: createWorldReader(pool),
    commit: (plan, mandate, at) => commitPlan(pool, plan, mandate, at),
    saveRemovals: (removals, mandate, at) => saveRemovals(pool, removals, mandate, at),
    loadRemovals: () => loadRemovals(pool),
    markUnrecovered: (because, mandate, at) => markUnrecovered(pool, because, mandate, at),
    saveOrphans: (nodeId, orphans, mandate, at) => saveOrphans(pool, nodeId, orphans, mandate, at),
    listOrphans: () => listOrphans(pool),
    loadSerials: () => loadSerials(pool),
    recover: (recovery, from, request, at) => recover(pool, recovery, from, request, at),
    loadIdentity: () => loadIdentity(pool),
    loadEvidence: (nodeId, instanceIds) => loadEvidence(pool, nodeId, instanceIds),
    loadAssignment: nodeId => loadAssignment(pool, nodeId),
    loadSpec: (nodeId, deploymentId, release) => loadSpec(pool, nodeId, deploymentId, release),
    saveLiveness: (liveness, mandate) => saveLiveness(pool, liveness, mandate),
    saveFacts: (facts, at) => saveFacts(pool, facts, at),
    saveReport: (report, at) => saveReport(pool, report, at),
    saveBeats: (beats, mandate, at) => saveBeats(pool, beats, mandate, at),
    renewLeases: (nodeId, claims, terms) => renewLeases(pool, nodeId, claims, terms),
    saveUsage: usage => saveUsage(pool, usage),
    saveSwarmNodes: nodes => saveSwarmNodes(pool, nodes),
    loadDigests: () => loadDigests(pool),
    ...createVolumes(pool),
    restoreLocation: (location, mandate) => restoreLocation(pool, location, mandate),
    createTenant: (tenant, request) => createTenant(pool, tenant, request, now()),
    updateTenant: (id, quota, request) => updateTenant(pool, id, quota, request, now()),
    deleteTenant: (id, request) => deleteTenant(pool, id, request, now()),
    getTenant: id => getTenant(db, id),
    listTenants: page => listTenants(db, page),
    createDeployment: (tenantId, spec, routes, request, at) =>
      createDeployment(pool, tenantId, spec, routes, request, at, keepDomainsMs),
    changeDeployment: (id, change, version, request, at) =>
      changeDeployment(pool, id, change, version, request, at, keepDomainsMs),
    getDeployment: id => getDeployment(pool, id),
    listDeployments: (filter, page) => listDeployments(db, filter, page),
    listInstances: (filter, page) => listInstances(db, filter, page),
    loadUsage: instanceIds => loadUsage(pool, instanceIds),
    listNodes: () => listNodes(db),
    listRoutes: filter => listRoutes(db, filter),
    saveDecisions: decisions => saveDecisions(pool, decisions),
    listDecisions: (filter, page) => listDecisions(db, filter, page),
    loadEdge: () => loadEdge(pool),
    pruneHistory: (before, most, mandate) => pruneHistory(pool, before, most, mandate),
    tellReplica: replica => tellReplica(pool, replica),
    ...{ ...createBlocks(pool), ...createKeys(pool) },
    ...createProjects(pool, keepDomainsMs),
    ...createForWorkspaces(pool),
    ping: async () => void (await ask(pool, { name: "ping", text: "SELECT 1" }, [])),
    migrate: () => migrateTranslated(db),
    close: () => pool.end(),
  };
}

async function migrateTranslated(db: Kysely<Tables>): Promise<void> {
  try {
    await migrate(db);
  } catch (error) {
    throw translate(error);
  }
}

/** All that is about workspaces, their hosts and their devices. */
function createForWorkspaces(pool: pg.Pool) {
  return {
    ...createWorkspaces(pool),
    ...createRules(pool),
    ...createScaling(pool),
    ...createWebhooks(pool),
    ...createDevices(pool),
    ...createGates(pool),
    ...createPods(pool),
    ...createHosting(pool),
    ...createMoves(pool),
  };
}
