import { loadBlocks, saveBlocks } from "./blocks.ts";
import { renewLeases } from "./leases.ts";
import { giveUpVolume, giveUpVolumes, listVolumes, saveVolumes } from "./volumes.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createKeys } from "./keys.ts";
import { createDevices } from "./devices.ts";
import { createGates } from "./gates.ts";
import { createPods } from "./pods.ts";
import { createProjects } from "./projects.ts";
import { createRules } from "./rules.ts";
import { createScaling } from "./scaling.ts";
import { createWebhooks } from "./webhooks.ts";
import { createHosting } from "./hosting.ts";
import { createMoves } from "./moves.ts";
import { createWorkspaces } from "./workspaces.ts";
import {
  commit,
  leads,
  loadAssignment,
  loadEvidence,
  loadSpec,
  loadWorld,
  markUnrecovered,
  readLease,
  releaseLease,
  saveRemovals,
  takeLease,
} from "./plan.ts";
import { pruneHistory } from "./prune.ts";
import { emptyRecords, inOrder, liveOn, removalKey, replaceRecords, type Records } from "../memory-records.ts";
import {
  changeDeployment,
  createDeployment,
  createTenant,
  deleteTenant,
  getDeployment,
  listInstances,
  loadUsage,
  pageOf,
  updateTenant,
} from "./spec.ts";
import {
  loadDigests,
  restoreLocation,
  saveBeats,
  saveFacts,
  saveLiveness,
  saveOrphans,
  saveReport,
  saveSwarmNodes,
  saveUsage,
} from "./status.ts";
import { frozen } from "./frozen.ts";
import { isLive } from "@skep/core/model/state.ts";
import { halvesOf, reachesOf } from "./reach.ts";
import { recover } from "./recover.ts";
import { refuse } from "../refusals.ts";
import { readPage } from "../page.ts";
import type { Mandate } from "../mandate.ts";
import type { NodeRecord, Replica, Store } from "../store.ts";

/**
 * What becomes of one call: it takes `delayMs`, and may be lost before it happened or, unknown to
 * the caller, after. `later` is a caller that gives up while its statement still waits for a lock:
 * that happens another `laterMs` later.
 */
export interface Passage {
  readonly delayMs: number;
  readonly lost: "no" | "before" | "after" | "later";
  readonly laterMs?: number;
}

/** A database in memory that several schedulers share: the twin of Postgres. */
export interface MemoryDatabase {
  /** A store under a client's name. */
  connect(name: string): Store;
  /** While a client is cut off, its calls fail as `unavailable`; without a name, everybody's do. */
  cut(name?: string): void;
  heal(name?: string): void;
  /** From now on each call of a client passes by this policy. */
  setPolicy(policy: (name: string, call: string) => Passage): void;
  /**
   * Puts other tables in place of the present ones, as a restore does. What was under way to the
   * database that it replaces fails.
   */
  restore(by: Records): void;
  /**
   * The tables themselves, for tests that look behind the port or do what a person with SQL might
   * do.
   */
  readonly records: Records;
  /** Grows with each statement that ran, and with each restore. */
  statements(): number;
}

const DIRECT: Passage = { delayMs: 0, lost: "no" };

/** Makes an empty database whose own time, which leases go by, is `clock`'s. */
export function createMemoryDatabase(clock: Clock): MemoryDatabase {
  const records = emptyRecords("inc_00000000");
  const away = new Set<string>();
  let policy: (name: string, call: string) => Passage = () => DIRECT;
  let restores = 0;
  let statements = 0;
  const counted = <T>(run: () => T): T => {
    statements++;
    return run();
  };

  async function pass<T>(name: string, call: string, run: () => T): Promise<T> {
    const { delayMs, lost, laterMs = 0 } = policy(name, call);
    const began = restores;
    if (delayMs > 0) await clock.sleep(delayMs);
    else await Promise.resolve();
    if (lost === "before" || away.has("") || away.has(name) || began !== restores) throw unavailable();
    if (lost === "later") {
      clock.timer(laterMs, () => void (began === restores && attempt(() => counted(run))));
      throw unavailable();
    }
    const answer = frozen(counted(run));
    if (lost === "after") throw unavailable();
    return answer;
  }

  return {
    connect: name => createStore(records, clock, (call, run) => pass(name, call, run)),
    cut: (name = "") => void away.add(name),
    heal: (name = "") => void away.delete(name),
    setPolicy: next => {
      policy = next;
    },
    restore: by => {
      restores++;
      statements++;
      replaceRecords(records, by);
    },
    records,
    statements: () => statements,
  };
}

/** Nobody hears any more what became of it. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SkepError)) throw error;
  }
}

function unavailable(): SkepError {
  const message = "The database cannot be reached (cut off); try again when it is back.";
  return new SkepError("unavailable", "DATABASE_UNAVAILABLE", message);
}

type Pass = <T>(call: string, run: () => T) => Promise<T>;

function createStore(records: Records, clock: Clock, pass: Pass): Store {
  return {
    ...createLeading(records, clock, pass),
    ...createStatus(records, clock, pass),
    ...createSpec(records, clock, pass),
    ...createKeys(records, pass),
    ...createWorkspaces(records, pass),
    ...createRules(records, pass),
    ...createScaling(records, pass, () => clock.now()),
    ...createWebhooks(records, pass),
    ...createDevices(records, pass),
    ...createGates(records, pass, passLeading(records, clock, pass)),
    ...createPods(records, pass),
    ...createProjects(records, pass),
    ...createHosting(records, pass, () => clock.now()),
    ...createMoves(records, pass),
  };
}

/** A call of a leader, which writes only while the lease is the mandate's. */
type PassLeading = <T>(call: string, mandate: Mandate, run: () => T) => Promise<T>;

function passLeading(records: Records, clock: Clock, pass: Pass): PassLeading {
  return (call, mandate, run) =>
    pass(call, () => {
      if (!leads(records, mandate, clock.now())) throw refuse.leaseLost(mandate.term);
      return run();
    });
}

function createLeading(records: Records, clock: Clock, pass: Pass) {
  const leading = passLeading(records, clock, pass);
  return {
    takeLease: (holder, ttlMs, stalled) =>
      pass("takeLease", () => takeLease(records, holder, ttlMs, stalled, clock.now())),
    releaseLease: holder => pass("releaseLease", () => releaseLease(records, holder, clock.now())),
    readLease: () => pass("readLease", () => readLease(records, clock.now())),
    loadWorld: () => pass("loadWorld", () => loadWorld(records)),
    commit: (plan, mandate, now) => pass("commit", () => commit(records, plan, mandate, now, clock.now())),
    saveRemovals: (removals, mandate) =>
      pass("saveRemovals", () => saveRemovals(records, removals, mandate, clock.now())),
    loadRemovals: () => pass("loadRemovals", () => [...records.removals.values()]),
    markUnrecovered: (because, mandate, now) =>
      pass("markUnrecovered", () => markUnrecovered(records, because, mandate, now, clock.now())),
    loadEvidence: (nodeId, ids) => pass("loadEvidence", () => loadEvidence(records, nodeId, ids)),
    loadAssignment: nodeId => pass("loadAssignment", () => loadAssignment(records, nodeId)),
    loadSpec: (nodeId, deploymentId, release) =>
      pass("loadSpec", () => loadSpec(records, nodeId, deploymentId, release)),
    loadBlocks: () => pass("loadBlocks", () => loadBlocks(records)),
    saveBlocks: (changes, mandate) => leading("saveBlocks", mandate, () => saveBlocks(records, changes)),
    saveLiveness: (liveness, mandate) => leading("saveLiveness", mandate, () => saveLiveness(records, liveness)),
  } satisfies Partial<Store>;
}

function createStatus(records: Records, clock: Clock, pass: Pass) {
  const leading = passLeading(records, clock, pass);
  return {
    saveFacts: (facts, now) => pass("saveFacts", () => saveFacts(records, facts, now)),
    saveReport: (report, now) => pass("saveReport", () => saveReport(records, report, now)),
    saveBeats: (beats, mandate, now) => leading("saveBeats", mandate, () => saveBeats(records, beats, now)),
    renewLeases: (nodeId, claims, terms) =>
      pass("renewLeases", () => renewLeases(records, nodeId, claims, { ...terms, now: clock.now() })),
    saveUsage: usage => pass("saveUsage", () => saveUsage(records, usage)),
    saveSwarmNodes: nodes => pass("saveSwarmNodes", () => saveSwarmNodes(records, nodes)),
    loadDigests: () => pass("loadDigests", () => loadDigests(records)),
    listVolumes: filter => pass("listVolumes", () => listVolumes(records, filter)),
    giveUpVolume: (volume, request, now) => pass("giveUpVolume", () => giveUpVolume(records, volume, request, now)),
    giveUpVolumes: (owner, request, now) => pass("giveUpVolumes", () => giveUpVolumes(records, owner, request, now)),
    saveVolumes: (nodeId, volumes, now) => pass("saveVolumes", () => saveVolumes(records, nodeId, volumes, now)),
    restoreLocation: (location, mandate) =>
      leading("restoreLocation", mandate, () => restoreLocation(records, location)),
    loadEdge: () => pass("loadEdge", () => loadEdge(records)),
    saveOrphans: (nodeId, orphans, mandate, now) =>
      passLeading(records, clock, pass)("saveOrphans", mandate, () => saveOrphans(records, nodeId, orphans, now)),
    listOrphans: () => pass("listOrphans", () => inOrder(records.orphans.values(), removalKey)),
    loadSerials: () => pass("loadSerials", () => new Map(records.serials)),
    recover: (recovery, from, _, now) => pass("recover", () => recover(records, recovery, from, now)),
    loadIdentity: () => pass("loadIdentity", () => records.platform),
    tellReplica: replica => pass("tellReplica", () => tellReplica(records, replica, clock.now())),
    ping: () => pass("ping", () => undefined),
    close: () => Promise.resolve(),
  } satisfies Partial<Store>;
}

function createSpec(records: Records, clock: Clock, pass: Pass) {
  return {
    createTenant: (tenant, request) => pass("createTenant", () => createTenant(records, tenant, request, clock.now())),
    updateTenant: (id, quota, request) =>
      pass("updateTenant", () => updateTenant(records, id, quota, request, clock.now())),
    deleteTenant: (id, request) => pass("deleteTenant", () => deleteTenant(records, id, request, clock.now())),
    getTenant: id => pass("getTenant", () => records.tenants.get(id)),
    listTenants: page => pass("listTenants", () => pageOf(records.tenants.values(), page, tenant => tenant.id)),
    createDeployment: (tenantId, spec, routes, request, now) =>
      pass("createDeployment", () => createDeployment(records, tenantId, spec, routes, request, now)),
    changeDeployment: (id, change, version, request, now) =>
      pass("changeDeployment", () => changeDeployment(records, id, change, version, request, now)),
    getDeployment: id => pass("getDeployment", () => getDeployment(records, id)),
    listDeployments: (filter, page) =>
      pass("listDeployments", () => {
        const wanted = [...records.deployments.values()].filter(
          one => (filter.tenantId ?? one.tenantId) === one.tenantId,
        );
        return pageOf(
          wanted.map(one => getDeployment(records, one.id)!),
          page,
          one => one.deployment.id,
        );
      }),
    listInstances: (filter, page) => pass("listInstances", () => listInstances(records, filter, page)),
    loadUsage: instanceIds => pass("loadUsage", () => loadUsage(records, instanceIds)),
    listNodes: () => pass("listNodes", () => listNodes(records)),
    listRoutes: filter =>
      pass("listRoutes", () =>
        inOrder(
          [...records.routes.values()].flat(),
          route => `${route.deploymentId} ${String(route.release).padStart(10, "0")} ${route.router}`,
        ).filter(
          route =>
            (filter.tenantId ?? route.tenantId) === route.tenantId &&
            (filter.domain ?? route.domain) === route.domain &&
            (filter.deploymentId ?? route.deploymentId) === route.deploymentId,
        ),
      ),
    ...createHistory(records, pass, passLeading(records, clock, pass)),
  } satisfies Partial<Store>;
}

function createHistory(records: Records, pass: Pass, leading: PassLeading) {
  return {
    saveDecisions: decisions =>
      pass("saveDecisions", () => {
        for (const decision of decisions) {
          records.decisions.push({ id: (records.decisions.at(-1)?.id ?? 0) + 1, decision });
        }
      }),
    listDecisions: (filter, page) =>
      pass("listDecisions", () => {
        const { after } = readPage(page);
        if (after !== undefined && !/^\d{15}\.\d{15}$/.test(after)) throw refuse.badToken();
        const digits = (value: number): string => String(value).padStart(15, "0");
        const wanted = records.decisions.filter(
          ({ decision }) =>
            (filter.deploymentId ?? decision.deploymentId) === decision.deploymentId &&
            (filter.instanceId ?? decision.instanceId) === decision.instanceId &&
            decision.at >= (filter.sinceAt ?? 0),
        );
        const found = pageOf(wanted, page, one => `${digits(one.decision.at)}.${digits(one.id)}`);
        return { items: found.items.map(one => one.decision), nextToken: found.nextToken };
      }),
    pruneHistory: (before, most, mandate) =>
      leading("pruneHistory", mandate, () => pruneHistory(records, before, most)),
  } satisfies Partial<Store>;
}

function loadEdge(records: Records): Awaited<ReturnType<Store["loadEdge"]>> {
  const routed = [...records.routes].filter(([id]) => records.deployments.get(id)?.desired !== "deleted");
  const ids = new Set([...records.routes].flatMap(([id, routes]) => (routes.length === 0 ? [] : [id])));
  return {
    routes: routed.flatMap(([, routes]) => routes),
    locations: [...records.locations.values()].filter(one => isLive(one) && ids.has(one.deploymentId)),
    nodes: [...records.nodes.values()].flatMap(entry => (entry.sessionId === undefined ? [] : [entry.node])),
    workspaces: [...reachesOf(records), ...halvesOf(records)],
    identity: records.platform,
    term: records.lease?.term ?? 0,
  };
}

function tellReplica(records: Records, replica: Omit<Replica, "agoMs">, now: number): readonly Replica[] {
  const { name, ...told } = replica;
  records.replicas.set(name, { ...told, at: now });
  for (const [other, { at }] of records.replicas) if (at < now - 60_000) records.replicas.delete(other);
  const all = inOrder(records.replicas, ([one]) => one);
  return all.map(([one, { at, ...rest }]) => ({ name: one, ...rest, agoMs: now - at }));
}

function listNodes(records: Records): readonly NodeRecord[] {
  const entries = inOrder(records.nodes.values(), ({ node }) => `${node.hostname} ${node.id}`);
  return entries.map(({ node, seenAt, swarmState }) => ({
    node,
    seenAt,
    instances: liveOn(records, node.id),
    swarmState,
  }));
}
