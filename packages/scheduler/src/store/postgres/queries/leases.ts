import type { InstanceEpoch } from "@skep/api/codec/lease.ts";
import type { LeaseClaim } from "@skep/core/identity/bridge.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { RenewedLeases } from "../../store.ts";
import { askOne, type Queryable } from "../sql.ts";
import { bridgeLeases } from "./bridges.ts";

/**
 * The node's row is taken first, so that a commit that gives a copy up comes wholly before or
 * wholly after.
 */
const RENEW = {
  name: "renew-leases",
  text: `
WITH node AS MATERIALIZED (SELECT node_id FROM node_metadata WHERE node_id = $1 FOR NO KEY UPDATE),
renewed AS (
  UPDATE deployment_locations l SET lease_until = clock_timestamp() + $3 * interval '1 millisecond'
  FROM node, jsonb_to_recordset($2) AS r("instanceId" text, epoch integer), instances i
  WHERE l.instance_id = r."instanceId" AND l.epoch = r.epoch AND l.node_id = node.node_id
    AND i.id = l.instance_id AND i.epoch = l.epoch
    AND l.status NOT IN ('stopped', 'completed', 'failed', 'lost')
    AND NOT EXISTS (SELECT FROM platform WHERE unrecovered IS NOT NULL)
    AND NOT EXISTS (SELECT FROM bridges b WHERE b.deployment_id = l.deployment_id
      AND b.until > extract(epoch FROM clock_timestamp()) * 1000
      AND (b.node_id, b.instance_id, b.epoch) <> (l.node_id, l.instance_id, l.epoch))
  RETURNING l.instance_id, l.epoch)
SELECT EXISTS (SELECT FROM platform WHERE unrecovered IS NOT NULL) AS bridged,
  (SELECT coalesce(json_agg(json_build_object('instanceId', instance_id, 'epoch', epoch)), '[]') FROM renewed)
    AS granted`,
};

/** See `StatusStore.renewLeases`. */
export async function renewLeases(
  db: Queryable,
  nodeId: NodeId,
  claims: readonly LeaseClaim[],
  terms: { readonly leaseMs: number; readonly mayBegin: boolean },
): Promise<RenewedLeases> {
  const values = [nodeId, JSON.stringify(claims), terms.leaseMs];
  const row = await askOne<{ bridged: boolean; granted: InstanceEpoch[] }>(db, RENEW, values);
  if (row.bridged) return { granted: await bridgeLeases(db, nodeId, claims, terms), isBridged: true };
  return { granted: row.granted, isBridged: false };
}
