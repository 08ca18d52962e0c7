import type { DeploymentId } from "@skep/core/model/deployment.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { Tenant, TenantId } from "@skep/core/model/tenant.ts";
import { type Kysely } from "kysely";
import { makePage, readPage } from "../../page.ts";
import { toDeployment, toInstance, toLocation, toNodeRecord, toRelease, toRoute, toTenant } from "../rows.ts";
import { translated } from "../sql.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { InstanceFilter, NodeRecord } from "../../store.ts";
import type { Page, PageRequest } from "../../request.ts";
import { LOCATION_COLUMNS, NODE_COLUMNS, type DeploymentRow, type Tables } from "../tables.ts";

type Db = Kysely<Tables>;

/** See `SpecStore.getTenant`. */
export async function getTenant(db: Db, id: TenantId): Promise<Tenant | undefined> {
  const row = await translated(db.selectFrom("tenants").selectAll().where("id", "=", id).executeTakeFirst());
  return row === undefined ? undefined : toTenant(row);
}

/** See `SpecStore.listTenants`. */
export async function listTenants(db: Db, page: PageRequest): Promise<Page<Tenant>> {
  const { after, limit } = readPage(page);
  let query = db
    .selectFrom("tenants")
    .selectAll()
    .orderBy("id")
    .limit(limit + 1);
  if (after !== undefined) query = query.where("id", ">", after);
  return makePage((await translated(query.execute())).map(toTenant), limit, tenant => tenant.id);
}

/** See `SpecStore.listDeployments`. */
export async function listDeployments(
  db: Db,
  filter: { readonly tenantId?: TenantId },
  page: PageRequest,
): Promise<Page<DeploymentRecord>> {
  const { after, limit } = readPage(page);
  let query = db
    .selectFrom("deployments as d")
    .innerJoin("releases as r", join => join.onRef("r.deployment_id", "=", "d.id").onRef("r.number", "=", "d.release"))
    .selectAll("d")
    .select("r.spec")
    .orderBy("d.id")
    .limit(limit + 1);
  if (filter.tenantId !== undefined) query = query.where("d.tenant_id", "=", filter.tenantId);
  if (after !== undefined) query = query.where("d.id", ">", after);
  const records = (await translated(query.execute())).map(row => {
    const deployment = toDeployment(row as DeploymentRow);
    return { deployment, release: toRelease({ deployment_id: row.id, number: row.release, spec: row.spec }) };
  });
  return makePage(records, limit, record => record.deployment.id);
}

/** See `SpecStore.listInstances`. */
export async function listInstances(
  db: Db,
  filter: InstanceFilter,
  page: PageRequest,
): Promise<Page<{ readonly instance: Instance; readonly locations: readonly Location[] }>> {
  const { after, limit } = readPage(page);
  let query = db
    .selectFrom("instances")
    .selectAll()
    .orderBy("id")
    .limit(limit + 1);
  if (filter.tenantId !== undefined) query = query.where("tenant_id", "=", filter.tenantId);
  if (filter.deploymentId !== undefined) query = query.where("deployment_id", "=", filter.deploymentId);
  if (filter.instanceId !== undefined) query = query.where("id", "=", filter.instanceId);
  if (after !== undefined) query = query.where("id", ">", after);
  const { nodeId } = filter;
  if (nodeId !== undefined) {
    query = query.where(
      "id",
      "in",
      db.selectFrom("deployment_locations").select("instance_id").where("node_id", "=", nodeId),
    );
  }
  const instances = (await translated(query.execute())).map(toInstance);
  const locations = await locationsOf(db, instances);
  const items = instances.map(instance => ({ instance, locations: locations.get(instance.id) ?? [] }));
  return makePage(items, limit, item => item.instance.id);
}

async function locationsOf(db: Db, instances: readonly Instance[]): Promise<ReadonlyMap<string, readonly Location[]>> {
  if (instances.length === 0) return new Map();
  const query = db
    .selectFrom("deployment_locations")
    .select(LOCATION_COLUMNS)
    .where(
      "instance_id",
      "in",
      instances.map(instance => instance.id),
    )
    .orderBy("epoch");
  return Map.groupBy((await translated(query.execute())).map(toLocation), location => location.instanceId);
}

/** See `SpecStore.listNodes`. */
export async function listNodes(db: Db): Promise<readonly NodeRecord[]> {
  const query = db.selectFrom("node_metadata").select(NODE_COLUMNS).orderBy("hostname").orderBy("node_id");
  return (await translated(query.execute())).map(toNodeRecord);
}

/** See `SpecStore.listRoutes`. */
export async function listRoutes(
  db: Db,
  filter: { readonly tenantId?: TenantId; readonly domain?: string; readonly deploymentId?: DeploymentId },
): Promise<readonly Route[]> {
  let query = db
    .selectFrom("deployment_routing")
    .selectAll()
    .orderBy("deployment_id")
    .orderBy("release")
    .orderBy("router");
  if (filter.tenantId !== undefined) query = query.where("tenant_id", "=", filter.tenantId);
  if (filter.domain !== undefined) query = query.where("domain", "=", filter.domain);
  if (filter.deploymentId !== undefined) query = query.where("deployment_id", "=", filter.deploymentId);
  return (await translated(query.execute())).map(toRoute);
}
