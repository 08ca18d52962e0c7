import { specToStored } from "@skep/api/codec/stored/spec.ts";
import type { Recovery } from "@skep/core/identity/recovery-records.ts";
import type pg from "pg";
import { footprint } from "@skep/core/model/deployment.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import { fromRoute } from "../rows.ts";
import { inTransaction, type Queryable } from "../sql.ts";
import { ROUTE_RECORD } from "./create-deployment.ts";

/**
 * In the order in which all writers wait for each other: the lease, the nodes, then the rest.
 * Quotas are for what is asked, and this is what runs: their trigger rests for the one transaction.
 */
const STATEMENTS: readonly { readonly text: string; readonly values: (recovery: Recovery) => readonly unknown[] }[] = [
  {
    text: `UPDATE leases SET holder = '', expires_at = clock_timestamp(), placements = greatest(placements, $1::bigint)`,
    values: ({ placements }) => [placements],
  },
  {
    text: `UPDATE node_metadata SET assignment_revision = assignment_revision + 1
      WHERE node_id IN (SELECT node_id FROM node_metadata ORDER BY node_id FOR NO KEY UPDATE)`,
    values: () => [],
  },
  { text: "ALTER TABLE deployments DISABLE TRIGGER quota_holds", values: () => [] },
  {
    text: "INSERT INTO tenants (id) SELECT jsonb_array_elements_text($1) ON CONFLICT DO NOTHING",
    values: ({ tenants }) => [JSON.stringify(tenants.map(one => one.id))],
  },
  // Before the deployments, whose numbers begin at what stands here.
  {
    text: `INSERT INTO serials AS s (deployment_id, next, gap_from, gap_to)
      SELECT * FROM jsonb_to_recordset($1) AS g(id text, next integer, "from" integer, "to" integer)
      ON CONFLICT (deployment_id) DO UPDATE SET next = greatest(s.next, excluded.next), gap_from = excluded.gap_from,
        gap_to = excluded.gap_to`,
    values: ({ serials }) => [
      JSON.stringify([...serials].map(([id, { next, gap }]) => ({ id, next, from: gap?.from, to: gap?.to }))),
    ],
  },
  {
    text: `INSERT INTO deployments AS d (id, tenant_id, name, desired, replicas, release, resource_version, next_serial,
        created_at)
      SELECT id, "tenantId", name, desired, replicas, release, "resourceVersion", "nextSerial", "createdAt"
      FROM jsonb_to_recordset($1) AS g(id text, "tenantId" text, name text, desired text, replicas integer,
        release integer, "resourceVersion" integer, "nextSerial" integer, "createdAt" bigint)
      ON CONFLICT (id) DO UPDATE SET desired = excluded.desired, replicas = excluded.replicas,
        release = excluded.release, resource_version = excluded.resource_version`,
    values: ({ deployments }) => [JSON.stringify(deployments)],
  },
  {
    text: `INSERT INTO releases (deployment_id, number, spec, cpu_millis, memory_bytes)
      SELECT "deploymentId", number, spec, "cpuMillis", "memoryBytes" FROM jsonb_to_recordset($1)
        AS g("deploymentId" text, number integer, spec jsonb, "cpuMillis" bigint, "memoryBytes" bigint)
      ON CONFLICT DO NOTHING`,
    values: ({ releases }) => [
      JSON.stringify(
        releases.map(({ deploymentId, number, spec }) => ({
          ...{ deploymentId, number, spec: specToStored(spec), ...footprint(spec) },
        })),
      ),
    ],
  },
  {
    text: `DELETE FROM deployment_routing WHERE deployment_id IN
      (SELECT deployment_id FROM ${ROUTE_RECORD} $1))`,
    values: ({ routes }) => [JSON.stringify(routes.map(fromRoute))],
  },
  {
    text: `INSERT INTO domains (domain, tenant_id) SELECT DISTINCT domain, tenant_id FROM ${ROUTE_RECORD} $1)
      ORDER BY 1 ON CONFLICT DO NOTHING`,
    values: ({ routes }) => [JSON.stringify(routes.map(fromRoute))],
  },
  {
    // A domain that another tenant has, or that is kept for one, stays with it.
    text: `INSERT INTO deployment_routing SELECT r.* FROM ${ROUTE_RECORD} $1) r
      JOIN domains d ON d.domain = r.domain AND d.tenant_id = r.tenant_id`,
    values: ({ routes }) => [JSON.stringify(routes.map(fromRoute))],
  },
  {
    text: `DELETE FROM deployment_locations l USING jsonb_to_recordset($1) AS g("instanceId" text, epoch integer)
      WHERE l.instance_id = g."instanceId" AND l.epoch = g.epoch`,
    values: ({ dropped }) => [JSON.stringify(dropped)],
  },
  {
    // What is adopted has its ports already, though another row had them before.
    text: `DELETE FROM released_ports r
      USING jsonb_to_recordset($1) AS g("nodeId" text, ports jsonb), jsonb_array_elements(g.ports) p
      WHERE r.node_id = g."nodeId" AND r.host_port = (p ->> 'hostPort')::integer AND r.protocol = p ->> 'protocol'`,
    values: ({ locations }) => [JSON.stringify(locations)],
  },
  {
    text: `INSERT INTO instances (id, tenant_id, deployment_id, release, slot, epoch, desired, created_at)
      SELECT id, "tenantId", "deploymentId", release, slot, epoch, desired, "createdAt" FROM jsonb_to_recordset($1)
        AS g(id text, "tenantId" text, "deploymentId" text, release integer, slot integer, epoch integer, desired text,
          "createdAt" bigint)
      ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, desired = excluded.desired`,
    values: ({ instances }) => [JSON.stringify(instances)],
  },
  {
    text: `INSERT INTO deployment_locations (instance_id, epoch, deployment_id, tenant_id, release, node_id, desired,
        desired_at, status, health_status, containers, ports, message, changed_at, address, domain)
      SELECT "instanceId", epoch, "deploymentId", "tenantId", release, g."nodeId", desired, "desiredAt", state, health,
        containers, ports, message, "changedAt", g.address,
        (SELECT r.domain FROM deployment_routing r WHERE r.deployment_id = g."deploymentId" ORDER BY r.router LIMIT 1)
      FROM jsonb_to_recordset($1) AS g("instanceId" text, epoch integer, "deploymentId" text, "tenantId" text,
        release integer, "nodeId" text, desired text, "desiredAt" bigint, state text, health text, containers jsonb,
        ports jsonb, message text, "changedAt" bigint, address text) JOIN node_metadata n ON n.node_id = g."nodeId"`,
    values: ({ locations }) => [JSON.stringify(locations)],
  },
  {
    text: `UPDATE deployments d SET next_serial = s.next FROM serials s
      WHERE s.deployment_id = d.id AND d.next_serial <> s.next`,
    values: () => [],
  },
  {
    text: `WITH given AS (SELECT * FROM jsonb_to_recordset($1) AS g("nodeId" text, "instanceId" text, epoch integer))
      DELETE FROM removals m USING given g
      WHERE m.node_id = g."nodeId" AND m.instance_id = g."instanceId" AND m.epoch = g.epoch`,
    values: ({ items }) => [JSON.stringify(items)],
  },
  {
    text: `WITH given AS (SELECT * FROM jsonb_to_recordset($1) AS g("nodeId" text, "instanceId" text, epoch integer))
      DELETE FROM orphans m USING given g
      WHERE m.node_id = g."nodeId" AND m.instance_id = g."instanceId" AND m.epoch = g.epoch`,
    values: ({ items }) => [JSON.stringify(items)],
  },
  {
    text: `INSERT INTO removals (node_id, instance_id, epoch, because, at)
      SELECT "nodeId", "instanceId", epoch, because, $2 FROM jsonb_to_recordset($1)
        AS g("nodeId" text, "instanceId" text, epoch integer, because text, action text) WHERE action = 'remove'`,
    values: ({ items }) => [JSON.stringify(items)],
  },
  {
    text: `INSERT INTO orphans (node_id, instance_id, epoch, because, since)
      SELECT "nodeId", "instanceId", epoch, because, $2 FROM jsonb_to_recordset($1)
        AS g("nodeId" text, "instanceId" text, epoch integer, because text, action text) WHERE action = 'leave'`,
    values: ({ items }) => [JSON.stringify(items)],
  },
  {
    text: `DELETE FROM volumes WHERE id IN (SELECT jsonb_array_elements_text($1))`,
    values: ({ volumes }) => [JSON.stringify(volumes.dropped.map(volumeKey))],
  },
  {
    text: `INSERT INTO volumes (id, tenant_id, owner, name, serial, node_id, created_at, used_at, state)
      SELECT id, "tenantId", owner, name, serial, "nodeId", "createdAt", "usedAt", state
      FROM jsonb_to_recordset($1) AS g(id text, "tenantId" text, owner text, name text, serial bigint,
        "nodeId" text, "createdAt" bigint, "usedAt" bigint, state text)
      ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at`,
    values: ({ volumes }) => [JSON.stringify(volumes.written.map(one => ({ ...one, id: volumeKey(one) })))],
  },
  { text: "ALTER TABLE deployments ENABLE TRIGGER quota_holds", values: () => [] },
];

/** See `PlatformStore.recover`. */
export async function recover(
  db: Queryable,
  recovery: Recovery,
  from: string,
  { actor }: Request,
  now: number,
): Promise<void> {
  await inTransaction(db, async connection => {
    await writeAll(connection, recovery, from, now);
    await connection.query(
      "INSERT INTO audit_log (at, actor, action, target) VALUES ($1, $2, 'platform.recover', $3)",
      [now, actor, recovery.identity.incarnation],
    );
  });
}

async function writeAll(connection: pg.PoolClient, recovery: Recovery, from: string, now: number): Promise<void> {
  const { incarnation, succeeds, serialFloor } = recovery.identity;
  await connection.query("SELECT FROM leases WHERE name = 'scheduler' FOR UPDATE");
  const { rowCount } = await connection.query(
    `UPDATE platform SET incarnation = $2, succeeds = $3, serial_floor = $4, unrecovered = NULL WHERE incarnation = $1`,
    [from, incarnation, JSON.stringify(succeeds), serialFloor],
  );
  if (rowCount !== 1) throw refuse.incarnationChanged();
  for (const { text, values } of STATEMENTS) {
    await connection.query(text, [...values(recovery), ...(text.includes("$2") ? [now] : [])]);
  }
}
