import { SkepError } from "@skep/core/error.ts";
import type { DeploymentId } from "@skep/core/model/deployment.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { TenantId } from "@skep/core/model/tenant.ts";
import type { Holdings } from "@skep/core/deployment/refusals.ts";
import { refuse } from "../../refusals.ts";
import { toTenant } from "../rows.ts";
import type { DeploymentRow, TenantRow } from "../tables.ts";
import { ask, stateOf, type Queryable } from "../sql.ts";

const FOREIGN = {
  name: "foreign-domains",
  text: "SELECT domain, freed_at FROM domains WHERE domain = ANY ($1) AND tenant_id <> $2 ORDER BY domain LIMIT 1",
};

/**
 * Which domain of the routes is another tenant's, or kept for it; the first of them when it was
 * given up meanwhile.
 */
export async function domainRefusal(
  db: Queryable,
  tenantId: TenantId,
  routes: readonly Route[],
  keepDomainsMs: number,
): Promise<SkepError> {
  const values = [routes.map(route => route.domain), tenantId];
  const [row] = await ask<{ domain: string; freed_at: number | null }>(db, FOREIGN, values);
  if (row?.freed_at != null) return refuse.domainKept(row.domain, row.freed_at + keepDomainsMs);
  return refuse.domainTaken(row?.domain ?? routes[0]?.domain ?? "");
}

const HOLDER = { name: "holder-of-name", text: "SELECT desired FROM deployments WHERE id = $1" };

/**
 * Why a name cannot be taken. A holder that has gone meanwhile was being deleted: the next try will
 * find it free.
 */
export async function nameTaken(db: Queryable, id: DeploymentId): Promise<SkepError> {
  const [holder] = await ask<Pick<DeploymentRow, "desired">>(db, HOLDER, [id]);
  return holder === undefined || holder.desired === "deleted" ? refuse.beingDeleted(id) : refuse.deploymentExists(id);
}

const TENANT = { name: "one-tenant", text: "SELECT * FROM tenants WHERE id = $1" };

/** The refusal by quota in words, when it was the quota that refused. */
export async function quotaRefusal(db: Queryable, tenantId: TenantId, error: unknown): Promise<SkepError | undefined> {
  if (stateOf(error) !== "SKQTA" || !(error instanceof SkepError)) return undefined;
  const held = JSON.parse((error.cause as Error).message) as Holdings;
  const [row] = await ask<TenantRow & Record<string, unknown>>(db, TENANT, [tenantId]);
  return row === undefined ? refuse.noTenant(tenantId) : refuse.quota(tenantId, held, toTenant(row).quota);
}
