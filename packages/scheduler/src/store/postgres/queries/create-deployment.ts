import { deploymentAnswer } from "@skep/api/codec/stored/answer.ts";
import { specToStored } from "@skep/api/codec/stored/spec.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { TenantId } from "@skep/core/model/tenant.ts";
import { firstRecord } from "@skep/core/deployment/change.ts";
import { footprint } from "@skep/core/model/deployment.ts";
import { refuse } from "../../refusals.ts";
import { fromRoute } from "../rows.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { Request } from "../../request.ts";
import { askOne, constraintOf, type Queryable } from "../sql.ts";
import { domainRefusal, nameTaken, quotaRefusal } from "./spec-refusals.ts";
import { earlierAnswer, mayBeRepetition, mutation, recordParts, recordValues, type Mutation } from "./request.ts";

/** Columns of a route as a record set of JSON. */
export const ROUTE_RECORD = `jsonb_populate_recordset(NULL::deployment_routing, `;

/**
 * A domain is one's own, or new, or was freed: by oneself, or before the time that follows. Whose
 * it stays otherwise is the foreign key's to say.
 */
export const CLAIM = `ON CONFLICT (domain) DO UPDATE SET tenant_id = excluded.tenant_id, freed_at = NULL
  WHERE domains.freed_at IS NOT NULL AND (domains.tenant_id = excluded.tenant_id OR domains.freed_at <= `;

/**
 * One round trip. The constraints decide: unknown tenant, name in use, domain of another tenant,
 * key used before.
 */
export const CREATE = {
  name: "create-deployment",
  text: `
WITH created AS (
  INSERT INTO deployments (id, tenant_id, name, desired, replicas, release, resource_version, next_serial, created_at)
  VALUES ($1, $2, $3, 'run', $4, 1, 1, 1, $5) RETURNING next_serial),
released AS (INSERT INTO releases (deployment_id, number, spec, cpu_millis, memory_bytes) VALUES ($1, 1, $6, $7, $8)),
owned AS (INSERT INTO domains (domain, tenant_id)
  SELECT DISTINCT domain, $2 FROM ${ROUTE_RECORD} $9) ORDER BY domain ${CLAIM} $17)),
routed AS (INSERT INTO deployment_routing SELECT * FROM ${ROUTE_RECORD} $9)),
${recordParts(10, "true")}
SELECT next_serial FROM created`,
};

/** What `CREATE` answers. */
export interface Created {
  readonly next_serial: number;
}

/** The parameters of `CREATE`. */
export function createValues(
  one: Mutation,
  record: DeploymentRecord,
  routes: readonly Route[],
  keepDomainsMs: number,
): readonly unknown[] {
  const { deployment, release } = record;
  const { cpuMillis, memoryBytes } = footprint(release.spec);
  return [
    deployment.id,
    deployment.tenantId,
    deployment.name,
    deployment.replicas,
    one.now,
    JSON.stringify(specToStored(release.spec)),
    cpuMillis,
    memoryBytes,
    JSON.stringify(routes.map(route => fromRoute(route, release.number))),
    ...recordValues(one, deploymentAnswer.encode(record)),
    one.now - keepDomainsMs,
  ];
}

/** The record with the number that the database began it with. */
export function createdRecord(record: DeploymentRecord, { next_serial: nextSerial }: Created): DeploymentRecord {
  return { ...record, deployment: { ...record.deployment, nextSerial } };
}

/** See `SpecStore.createDeployment`. */
export async function createDeployment(
  db: Queryable,
  tenantId: TenantId,
  spec: DeploymentSpec,
  routes: readonly Route[],
  request: Request,
  now: number,
  keepDomainsMs: number,
): Promise<DeploymentRecord> {
  const record = firstRecord(tenantId, spec, now);
  const { id } = record.deployment;
  const one = mutation(request, "deployment.create", id, { spec, routes }, now);
  try {
    const values = createValues(one, record, routes, keepDomainsMs);
    return createdRecord(record, await askOne<Created>(db, CREATE, values));
  } catch (error) {
    const answer = mayBeRepetition(error) ? await earlierAnswer(db, one, deploymentAnswer) : undefined;
    if (answer !== undefined) return answer.response;
    switch (constraintOf(error)) {
      case "deployments_tenant":
        throw refuse.noTenant(tenantId);
      // Parts of one statement run in no promised order: any of the three keys may be the first to
      // refuse.
      case "deployments_pkey":
      case "releases_pkey":
      case "deployment_routing_pkey":
        throw await nameTaken(db, id);
      case "deployment_routing_owner":
        throw await domainRefusal(db, tenantId, routes, keepDomainsMs);
      default:
        throw (await quotaRefusal(db, tenantId, error)) ?? error;
    }
  }
}
