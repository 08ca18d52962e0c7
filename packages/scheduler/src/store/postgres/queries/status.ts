import type { Usage } from "@skep/core/model/report.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Mandate } from "../../mandate.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import { askLeading, leasePart } from "./lease.ts";

/** A row that somebody else is writing is left out: the next sample comes soon. */
const USAGE = {
  name: "save-usage",
  text: `
WITH free AS MATERIALIZED (
  SELECT l.instance_id, l.epoch, g.cpu_millis, g.memory_bytes
  FROM deployment_locations l JOIN unnest($1::text[], $2::integer[], $3::float8[], $4::float8[])
    AS g(instance_id, epoch, cpu_millis, memory_bytes) USING (instance_id, epoch)
  FOR NO KEY UPDATE OF l SKIP LOCKED)
UPDATE deployment_locations l
SET resource_usage = jsonb_build_object('cpuMillis', f.cpu_millis, 'memoryBytes', f.memory_bytes)
FROM free f WHERE l.instance_id = f.instance_id AND l.epoch = f.epoch`,
};

/** See `StatusStore.saveUsage`. */
export async function saveUsage(db: Queryable, usage: readonly Usage[]): Promise<void> {
  if (usage.length === 0) return;
  await ask(db, USAGE, [
    usage.map(one => one.instanceId),
    usage.map(one => one.epoch),
    usage.map(one => one.cpuMillis),
    usage.map(one => one.memoryBytes),
  ]);
}

const DIGESTS = {
  name: "load-digests",
  text: `SELECT node_id, bit_xor(digest)::text AS digest, count(*) AS count
FROM deployment_locations WHERE is_live(status) GROUP BY node_id`,
};

/** See `StatusStore.loadDigests`. */
export async function loadDigests(
  db: Queryable,
): Promise<ReadonlyMap<NodeId, { readonly digest: bigint; readonly count: number }>> {
  const rows = await ask<{ node_id: string; digest: string; count: number }>(db, DIGESTS, []);
  return new Map(rows.map(row => [row.node_id, { digest: BigInt.asUintN(64, BigInt(row.digest)), count: row.count }]));
}

const RESTORE = {
  name: "restore-location",
  text: `
WITH ${leasePart("$16", "$17")},
node AS MATERIALIZED (SELECT node_id FROM node_metadata
  WHERE node_id = $6 AND EXISTS (SELECT FROM lease) FOR NO KEY UPDATE), restored AS (
INSERT INTO deployment_locations (instance_id, epoch, deployment_id, tenant_id, release, node_id, desired, desired_at,
  status, health_status, containers, ports, message, changed_at, address, domain)
SELECT i.id, i.epoch, $3, $4, $5, node.node_id, $7, $8, $9, $10, $11, $12, $13, $14, $15,
  (SELECT r.domain FROM deployment_routing r WHERE r.deployment_id = i.deployment_id ORDER BY r.router LIMIT 1)
FROM instances i, node WHERE i.id = $1 AND i.epoch = $2 AND NOT EXISTS (SELECT FROM location_ports p
  WHERE p.node_id = $6 AND (p.host_port, p.protocol) IN
    (SELECT (x ->> 'hostPort')::integer, x ->> 'protocol' FROM jsonb_array_elements($12::jsonb) x))
ON CONFLICT DO NOTHING RETURNING instance_id), raised AS (
UPDATE node_metadata SET assignment_revision = assignment_revision + 1
WHERE node_id IN (SELECT node_id FROM node) AND EXISTS (SELECT FROM restored))
SELECT EXISTS (SELECT FROM lease) AS leads, EXISTS (SELECT FROM restored) AS restored`,
};

/** See `StatusStore.restoreLocation`. */
export async function restoreLocation(db: Queryable, location: Location, mandate: Mandate): Promise<boolean> {
  try {
    const values = [...valuesOf(location), mandate.term, mandate.holder];
    return (await askLeading<{ restored: boolean }>(db, RESTORE, values, mandate)).restored;
  } catch (error) {
    if (["location_ports_one_user", "released_ports_wait"].includes(constraintOf(error) ?? "")) return false;
    throw error;
  }
}

function valuesOf(location: Location): readonly unknown[] {
  return [
    location.instanceId,
    location.epoch,
    location.deploymentId,
    location.tenantId,
    location.release,
    location.nodeId,
    location.desired,
    location.desiredAt,
    location.state,
    location.health,
    JSON.stringify(location.containers),
    JSON.stringify(location.ports),
    location.message,
    location.changedAt,
    location.address ?? null,
  ];
}
