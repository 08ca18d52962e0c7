import { deploymentAnswer } from "@skep/api/codec/stored/answer.ts";
import { specToStored } from "@skep/api/codec/stored/spec.ts";
import type { DeploymentId } from "@skep/core/model/deployment.ts";
import { changedRecord } from "@skep/core/deployment/change.ts";
import { footprint } from "@skep/core/model/deployment.ts";
import { refuse } from "../../refusals.ts";
import { fromRoute, toDeployment, toRelease } from "../rows.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { Request } from "../../request.ts";
import type { DeploymentRow, ReleaseRow } from "../tables.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import { CLAIM, ROUTE_RECORD } from "./create-deployment.ts";
import { domainRefusal, quotaRefusal } from "./spec-refusals.ts";
import { mutation, onceByKey, recordParts, recordValues, type Mutation } from "./request.ts";

const READ = {
  name: "read-deployment",
  text: `SELECT to_json(d) AS deployment, json_build_object('deployment_id', r.deployment_id, 'number', r.number, 'spec', r.spec) AS release
FROM deployments d JOIN releases r ON r.deployment_id = d.id AND r.number = d.release WHERE d.id = $1`,
};

/** Compare-and-set on the resource version; `$9` null keeps the routes for a new release. */
export const CHANGE = {
  name: "change-deployment",
  text: `
WITH changed AS (
  UPDATE deployments SET desired = $3, replicas = $4, release = $5, resource_version = resource_version + 1
  WHERE id = $1 AND resource_version = $2 RETURNING tenant_id),
released AS (INSERT INTO releases (deployment_id, number, spec, cpu_millis, memory_bytes)
  SELECT $1, $5, $6, $7, $8 FROM changed ON CONFLICT DO NOTHING),
owned AS (INSERT INTO domains (domain, tenant_id)
  SELECT DISTINCT r.domain, c.tenant_id FROM changed c, ${ROUTE_RECORD} $9) r ORDER BY 1 ${CLAIM} $17)),
unrouted AS (DELETE FROM deployment_routing x USING changed WHERE x.deployment_id = $1
  AND CASE WHEN x.release = $5
    THEN $9::jsonb IS NOT NULL AND x.router NOT IN (SELECT router FROM ${ROUTE_RECORD} $9))
    ELSE NOT EXISTS (SELECT FROM deployment_locations l WHERE l.deployment_id = $1 AND l.release = x.release) END),
routed AS (INSERT INTO deployment_routing SELECT r.* FROM changed, ${ROUTE_RECORD} $9) r
  ON CONFLICT (deployment_id, release, router) DO UPDATE SET kind = excluded.kind, domain = excluded.domain, path = excluded.path,
    rule = excluded.rule, entry_points = excluded.entry_points, priority = excluded.priority, container = excluded.container,
    target_port = excluded.target_port, ssl_enabled = excluded.ssl_enabled, weight = excluded.weight,
    load_balancer_algo = excluded.load_balancer_algo, middlewares = excluded.middlewares, service = excluded.service),
kept AS (INSERT INTO deployment_routing
  SELECT (jsonb_populate_record(r, jsonb_build_object('release', $5::integer))).*
  FROM changed, deployment_routing r WHERE r.deployment_id = $1 AND $9::jsonb IS NULL
    AND r.release = (SELECT max(release) FROM deployment_routing WHERE deployment_id = $1)
  ON CONFLICT (deployment_id, release, router) DO NOTHING),
shown AS (UPDATE deployment_locations l
  SET domain = (SELECT r.domain FROM ${ROUTE_RECORD} $9) r ORDER BY r.router LIMIT 1)
  FROM changed WHERE l.deployment_id = $1 AND $9::jsonb IS NOT NULL),
${recordParts(10, "EXISTS (SELECT FROM changed)")}
SELECT tenant_id FROM changed`,
};

/** See `SpecStore.getDeployment`. */
export async function getDeployment(db: Queryable, id: DeploymentId): Promise<DeploymentRecord | undefined> {
  const [row] = await ask<{ deployment: DeploymentRow; release: ReleaseRow }>(db, READ, [id]);
  return row === undefined ? undefined : { deployment: toDeployment(row.deployment), release: toRelease(row.release) };
}

/** See `SpecStore.changeDeployment`. */
export async function changeDeployment(
  db: Queryable,
  id: DeploymentId,
  change: DeploymentChange,
  expectVersion: number | undefined,
  request: Request,
  now: number,
  keepDomainsMs: number,
): Promise<DeploymentRecord> {
  const one = mutation(request, "deployment.change", id, { change, expectVersion }, now);
  return onceByKey(db, one, deploymentAnswer, async () => {
    for (;;) {
      const before = await getDeployment(db, id);
      if (before === undefined) throw refuse.noDeployment(id);
      const after = changedRecord(before, change, expectVersion);
      if (after === before || (await write(db, one, before, after, change, keepDomainsMs))) return after;
      // Somebody changed it between the two statements; the next look tells so to a caller that
      // named a version.
    }
  });
}

/** The parameters of `CHANGE`. */
export function changeValues(
  one: Mutation,
  before: DeploymentRecord,
  after: DeploymentRecord,
  routes: readonly Route[] | undefined,
  keepDomainsMs: number,
): readonly unknown[] {
  const { deployment, release } = after;
  const { cpuMillis, memoryBytes } = footprint(release.spec);
  return [
    deployment.id,
    before.deployment.resourceVersion,
    deployment.desired,
    deployment.replicas,
    release.number,
    JSON.stringify(specToStored(release.spec)),
    cpuMillis,
    memoryBytes,
    routes === undefined ? null : JSON.stringify(routes.map(route => fromRoute(route, release.number))),
    ...recordValues(one, deploymentAnswer.encode(after)),
    one.now - keepDomainsMs,
  ];
}

async function write(
  db: Queryable,
  one: Mutation,
  before: DeploymentRecord,
  after: DeploymentRecord,
  change: DeploymentChange,
  keepDomainsMs: number,
): Promise<boolean> {
  try {
    return (await ask(db, CHANGE, changeValues(one, before, after, change.routes, keepDomainsMs))).length > 0;
  } catch (error) {
    const { tenantId } = after.deployment;
    if (constraintOf(error) === "deployment_routing_owner") {
      throw await domainRefusal(db, tenantId, change.routes ?? [], keepDomainsMs);
    }
    throw (await quotaRefusal(db, tenantId, error)) ?? error;
  }
}
