import type { ServiceImpl } from "@connectrpc/connect";
import type { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import type { Quota } from "@skep/core/model/tenant.ts";
import { SkepError } from "@skep/core/error.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";
import { quotaFromProto, tenantToProto } from "@skep/api/codec/tenant.ts";
import { pageRequest } from "./lookups.ts";

/** Tenants and their quotas. */
export function tenantHandlers({ store, wake, defaultQuota }: ApiDeps): ServiceImpl<typeof TenantService> {
  return {
    createTenant: async (request, context) => {
      const tenant = { id: request.tenantId, quota: withDefaults(quotaFromProto(request.quota), defaultQuota) };
      return { tenant: tenantToProto(await store.createTenant(tenant, changeRequest(request, context))) };
    },
    getTenant: async request => {
      const tenant = await store.getTenant(request.tenantId);
      if (tenant === undefined) throw noTenant(request.tenantId);
      return { tenant: tenantToProto(tenant) };
    },
    listTenants: async request => {
      const { items, nextToken } = await store.listTenants(pageRequest(request));
      return { tenants: items.map(tenantToProto), nextPageToken: nextToken ?? "" };
    },
    updateTenant: async (request, context) => {
      const change = changeRequest(request, context);
      const tenant = await store.updateTenant(request.tenantId, quotaFromProto(request.quota), change);
      wake(`tenant ${tenant.id} has another quota`);
      return { tenant: tenantToProto(tenant) };
    },
    deleteTenant: async (request, context) => {
      await store.deleteTenant(request.tenantId, changeRequest(request, context));
      return {};
    },
  };
}

/** A new tenant is bounded in everything; an update takes a bound away. */
function withDefaults(given: Quota, otherwise: Quota): Quota {
  return {
    instances: given.instances ?? otherwise.instances,
    cpuMillis: given.cpuMillis ?? otherwise.cpuMillis,
    memoryBytes: given.memoryBytes ?? otherwise.memoryBytes,
  };
}

/** The refusal of a tenant that is not there. */
export function noTenant(tenantId: string): SkepError {
  return new SkepError(
    "not_found",
    "TENANT_NOT_FOUND",
    `There is no tenant ${tenantId}. List tenants to see which there are, or create it first.`,
    { details: { tenantId } },
  );
}
