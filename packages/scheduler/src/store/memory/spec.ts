import type { Usage } from "@skep/core/model/report.ts";
import { once } from "./once.ts";
import { deploymentAnswer, emptyAnswer, tenantAnswer } from "@skep/api/codec/stored/answer.ts";
import { giveUp } from "./volumes.ts";
import type { DeploymentSpec, Release } from "@skep/core/model/deployment.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import type { Route } from "@skep/core/model/routing.ts";
import { firstSerials, highestSerials, skipBeyond, type Serials } from "@skep/core/identity/serials.ts";
import type { Quota, Tenant } from "@skep/core/model/tenant.ts";
import { changedRecord, firstRecord } from "@skep/core/deployment/change.ts";
import { footprint } from "@skep/core/model/deployment.ts";
import { inOrder, locationKey, ownerOf, releaseKey, setRoutes, type Records } from "../memory-records.ts";
import { KEEP_DOMAINS_MS } from "../keep-domains.ts";
import { dropOldRoutes } from "./plan.ts";
import { makePage, readPage } from "../page.ts";
import { quotaWords } from "@skep/core/deployment/refusals.ts";
import type { Holdings } from "@skep/core/deployment/refusals.ts";
import { refuse } from "../refusals.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { InstanceFilter } from "../store.ts";
import type { Page, PageRequest, Request } from "../request.ts";

/** See `SpecStore.createTenant`. */
export function createTenant(records: Records, tenant: Tenant, request: Request, now: number): Tenant {
  return once(records, request, `tenant.create ${tenant.id}`, tenant.quota, now, tenantAnswer, audit => {
    if (records.tenants.has(tenant.id)) throw refuse.tenantExists(tenant.id);
    records.tenants.set(tenant.id, tenant);
    audit();
    return tenant;
  });
}

/** See `SpecStore.updateTenant`. */
export function updateTenant(records: Records, id: string, quota: Quota, request: Request, now: number): Tenant {
  return once(records, request, `tenant.update ${id}`, quota, now, tenantAnswer, audit => {
    if (!records.tenants.has(id)) throw refuse.noTenant(id);
    records.tenants.set(id, { id, quota });
    audit();
    return { id, quota };
  });
}

/** See `SpecStore.deleteTenant`. */
export function deleteTenant(records: Records, id: string, request: Request, now: number): void {
  once(records, request, `tenant.delete ${id}`, undefined, now, emptyAnswer, audit => {
    if (!records.tenants.has(id)) throw refuse.noTenant(id);
    for (const deployment of records.deployments.values()) {
      if (deployment.tenantId === id) throw refuse.tenantInUse(id);
    }
    for (const workspace of records.workspaces.values()) {
      if (workspace.tenantId === id) throw refuse.tenantHasWorkspaces(id);
    }
    records.tenants.delete(id);
    audit();
    giveUp(records, volume => volume.tenantId === id);
  });
}

/** See `SpecStore.createDeployment`. */
export function createDeployment(
  records: Records,
  tenantId: string,
  spec: DeploymentSpec,
  routes: readonly Route[],
  request: Request,
  now: number,
): DeploymentRecord {
  const record = firstRecord(tenantId, spec, now);
  const { id } = record.deployment;
  return once(records, request, `deployment.create ${id}`, { spec, routes }, now, deploymentAnswer, audit => {
    const holder = records.deployments.get(id);
    if (holder !== undefined)
      throw holder.desired === "deleted" ? refuse.beingDeleted(id) : refuse.deploymentExists(id);
    if (!records.tenants.has(tenantId)) throw refuse.noTenant(tenantId);
    check(records, record, routes, now);
    audit();
    return writeNew(records, record, routes, now);
  });
}

/** Where the numbers of a name begin, or go on: beyond what is still on some node under it. */
function serialsOf(records: Records, id: string): Serials {
  const known = records.serials.get(id) ?? firstSerials(records.platform.serialFloor);
  const found = [...records.orphans.values(), ...records.removals.values()];
  return skipBeyond(known, highestSerials(found.map(one => one.instanceId)).get(id) ?? 0);
}

/** See `SpecStore.changeDeployment`. */
export function changeDeployment(
  records: Records,
  id: string,
  change: DeploymentChange,
  expectVersion: number | undefined,
  request: Request,
  now: number,
): DeploymentRecord {
  return once(records, request, `deployment.change ${id}`, { change, expectVersion }, now, deploymentAnswer, audit => {
    const before = getDeployment(records, id);
    if (before === undefined) throw refuse.noDeployment(id);
    const after = changedRecord(before, change, expectVersion);
    if (after === before) return after;
    check(records, after, change.routes, now);
    write(records, after, change.routes, now);
    audit();
    return after;
  });
}

/** Holds a record to domains and quota before anything is written. */
function check(records: Records, record: DeploymentRecord, routes: readonly Route[] | undefined, now: number): void {
  const { deployment } = record;
  for (const { domain } of routes ?? []) {
    const foreign = foreignDomain(records, deployment.tenantId, domain, now);
    if (foreign === undefined) continue;
    throw foreign.until === undefined ? refuse.domainTaken(domain) : refuse.domainKept(domain, foreign.until);
  }
  if (deployment.desired === "run") checkQuota(records, record);
}

/** Whether another tenant has a domain, and until when, where nothing routes it any more. */
export function foreignDomain(
  records: Records,
  tenantId: string,
  domain: string,
  now: number,
): { readonly until: number | undefined } | undefined {
  if ((ownerOf(records, domain) ?? tenantId) !== tenantId) return { until: undefined };
  const freed = records.freed.get(domain);
  const until = (freed?.at ?? 0) + KEEP_DOMAINS_MS;
  return freed !== undefined && freed.tenantId !== tenantId && until > now ? { until } : undefined;
}

/** Writes a new deployment, which goes on with the numbers of its name. */
export function writeNew(
  records: Records,
  record: DeploymentRecord,
  routes: readonly Route[],
  now: number,
): DeploymentRecord {
  const { id } = record.deployment;
  const serials = serialsOf(records, id);
  const made = { ...record, deployment: { ...record.deployment, nextSerial: serials.next } };
  write(records, made, routes, now);
  records.serials.set(id, serials);
  return made;
}

/** Writes what was checked before. */
export function write(
  records: Records,
  { deployment, release }: DeploymentRecord,
  routes: readonly Route[] | undefined,
  now: number,
): void {
  records.deployments.set(deployment.id, deployment);
  records.releases.set(releaseKey(deployment.id, release.number), release);
  const known = records.routes.get(deployment.id) ?? [];
  const latest = Math.max(...known.map(route => route.release));
  const own = routes ?? known.filter(route => route.release === latest);
  const others = known.filter(route => route.release !== release.number);
  const all = [...others, ...own.map(route => ({ ...route, release: release.number }))];
  setRoutes(records, deployment.id, all, now);
  dropOldRoutes(records, deployment.id, now);
}

function checkQuota(records: Records, wanted: DeploymentRecord): void {
  const { tenantId } = wanted.deployment;
  const tenant = records.tenants.get(tenantId);
  if (tenant === undefined) return;
  const held = heldBy(records, tenantId, wanted);
  if (quotaWords(held, tenant.quota) !== "") throw refuse.quota(tenantId, held, tenant.quota);
}

/** What the running deployments of a tenant may use, with one of them as it is to be. */
export function heldBy(records: Records, tenantId: string, wanted?: DeploymentRecord): Holdings {
  const held = { instances: 0, cpuMillis: 0, memoryBytes: 0 };
  const others = [...records.deployments.values()].filter(one => one.id !== wanted?.deployment.id);
  for (const deployment of wanted === undefined ? others : [...others, wanted.deployment]) {
    if (deployment.tenantId !== tenantId || deployment.desired !== "run") continue;
    const isWanted = deployment === wanted?.deployment;
    const one = footprint((isWanted ? wanted.release : releaseOf(records, deployment.id)).spec);
    held.instances += deployment.replicas;
    held.cpuMillis += deployment.replicas * one.cpuMillis;
    held.memoryBytes += deployment.replicas * one.memoryBytes;
  }
  return held;
}

function releaseOf(records: Records, deploymentId: string): Release {
  return records.releases.get(releaseKey(deploymentId, records.deployments.get(deploymentId)?.release ?? 0))!;
}

/** See `SpecStore.getDeployment`. */
export function getDeployment(records: Records, id: string): DeploymentRecord | undefined {
  const deployment = records.deployments.get(id);
  return deployment === undefined ? undefined : { deployment, release: releaseOf(records, id) };
}

/** A page of items in the order of their key. */
export function pageOf<T>(items: Iterable<T>, page: PageRequest, keyOf: (item: T) => string): Page<T> {
  const { after, limit } = readPage(page);
  const rest = inOrder(items, keyOf).filter(item => after === undefined || keyOf(item) > after);
  return makePage(rest.slice(0, limit + 1), limit, keyOf);
}

/** See `SpecStore.listInstances`. */
export function listInstances(
  records: Records,
  filter: InstanceFilter,
  page: PageRequest,
): Page<{ readonly instance: Instance; readonly locations: readonly Location[] }> {
  const items = [...records.instances.values()].map(instance => ({
    instance,
    locations: inOrder(
      [...records.locations.values()].filter(location => location.instanceId === instance.id),
      location => String(location.epoch).padStart(10, "0"),
    ),
  }));
  const wanted = items.filter(
    ({ instance, locations }) =>
      (filter.tenantId ?? instance.tenantId) === instance.tenantId &&
      (filter.deploymentId ?? instance.deploymentId) === instance.deploymentId &&
      (filter.instanceId ?? instance.id) === instance.id &&
      (filter.nodeId === undefined || locations.some(location => location.nodeId === filter.nodeId)),
  );
  return pageOf(wanted, page, item => item.instance.id);
}

/** See `SpecStore.loadUsage`. */
export function loadUsage(records: Records, instanceIds: readonly string[]): readonly Usage[] {
  const wanted = [...records.usage.values()].filter(
    one => instanceIds.includes(one.instanceId) && records.locations.has(locationKey(one)),
  );
  return inOrder(wanted, one => `${one.instanceId} ${String(one.epoch).padStart(10, "0")}`);
}
