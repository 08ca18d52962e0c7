import type { InstanceEpoch } from "@skep/api/codec/lease.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { ask, type Queryable } from "../sql.ts";

/**
 * The node's row is taken first, so that a commit that gives a copy up comes wholly before or
 * wholly after.
 */
const RENEW = {
  name: "renew-leases",
  text: `
WITH node AS MATERIALIZED (SELECT node_id FROM node_metadata WHERE node_id = $1 FOR NO KEY UPDATE)
UPDATE deployment_locations l SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
FROM node, jsonb_to_recordset($2) AS r("instanceId" text, epoch integer), instances i
WHERE l.instance_id = r."instanceId" AND l.epoch = r.epoch AND l.node_id = node.node_id
  AND i.id = l.instance_id AND i.epoch = l.epoch
  AND l.status NOT IN ('stopped', 'failed', 'lost')
RETURNING l.instance_id, l.epoch`,
};

/** See `StatusStore.renewLeases`. */
export async function renewLeases(
  db: Queryable,
  nodeId: NodeId,
  instances: readonly InstanceEpoch[],
  leaseMs: number,
): Promise<readonly InstanceEpoch[]> {
  const values = [nodeId, JSON.stringify(instances), leaseMs];
  const rows = await ask<{ instance_id: string; epoch: number }>(db, RENEW, values);
  return rows.map(row => ({ instanceId: row.instance_id, epoch: row.epoch }));
}
