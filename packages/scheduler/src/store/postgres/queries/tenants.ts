import { emptyAnswer, tenantAnswer } from "@skep/api/codec/stored/answer.ts";
import type { Quota, Tenant, TenantId } from "@skep/core/model/tenant.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import { earlierAnswer, mayBeRepetition, mutation, onceByKey, recordParts, recordValues } from "./request.ts";

const CREATE = {
  name: "create-tenant",
  text: `
WITH created AS (INSERT INTO tenants (id, quota_instances, quota_cpu_millis, quota_memory_bytes)
  VALUES ($1, $2, $3, $4) RETURNING id),
${recordParts(5, "true")}
SELECT id FROM created`,
};

const UPDATE = {
  name: "update-tenant",
  text: `
WITH changed AS (UPDATE tenants SET quota_instances = $2, quota_cpu_millis = $3, quota_memory_bytes = $4
  WHERE id = $1 RETURNING id),
${recordParts(5, "EXISTS (SELECT FROM changed)")}
SELECT id FROM changed`,
};

const DELETE = {
  name: "delete-tenant",
  text: `
WITH deleted AS (DELETE FROM tenants WHERE id = $1 RETURNING id),
given AS (UPDATE volumes v SET state = 'removing' FROM deleted d WHERE v.tenant_id = d.id AND v.state <> 'removing'
  RETURNING v.node_id),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  WHERE n.node_id IN (SELECT node_id FROM given)),
${recordParts(2, "EXISTS (SELECT FROM deleted)")}
SELECT id FROM deleted`,
};

const quotaValues = (quota: Quota): readonly unknown[] => [
  quota.instances ?? null,
  quota.cpuMillis ?? null,
  quota.memoryBytes ?? null,
];

/** See `SpecStore.createTenant`. */
export async function createTenant(db: Queryable, tenant: Tenant, request: Request, now: number): Promise<Tenant> {
  const one = mutation(request, "tenant.create", tenant.id, tenant.quota, now);
  try {
    await ask(db, CREATE, [tenant.id, ...quotaValues(tenant.quota), ...recordValues(one, tenantAnswer.encode(tenant))]);
    return tenant;
  } catch (error) {
    const answer = mayBeRepetition(error) ? await earlierAnswer(db, one, tenantAnswer) : undefined;
    if (answer !== undefined) return answer.response;
    throw constraintOf(error) === "tenants_pkey" ? refuse.tenantExists(tenant.id) : error;
  }
}

/** See `SpecStore.updateTenant`. */
export async function updateTenant(
  db: Queryable,
  id: TenantId,
  quota: Quota,
  request: Request,
  now: number,
): Promise<Tenant> {
  const one = mutation(request, "tenant.update", id, quota, now);
  return onceByKey(db, one, tenantAnswer, async () => {
    const tenant = { id, quota };
    const values = [id, ...quotaValues(quota), ...recordValues(one, tenantAnswer.encode(tenant))];
    if ((await ask(db, UPDATE, values)).length === 0) throw refuse.noTenant(id);
    return tenant;
  });
}

/** See `SpecStore.deleteTenant`. */
export async function deleteTenant(db: Queryable, id: TenantId, request: Request, now: number): Promise<void> {
  const one = mutation(request, "tenant.delete", id, undefined, now);
  try {
    await onceByKey(db, one, emptyAnswer, async () => {
      const deleted = await ask(db, DELETE, [id, ...recordValues(one, null)]);
      if (deleted.length === 0) throw refuse.noTenant(id);
      return undefined;
    });
  } catch (error) {
    switch (constraintOf(error)) {
      case "deployments_tenant":
        throw refuse.tenantInUse(id);
      case "workspaces_tenant":
        throw refuse.tenantHasWorkspaces(id);
      default:
        throw error;
    }
  }
}
