import type { InstanceEpoch } from "@skep/api/codec/lease.ts";
import { claimsByDeployment, judgeClaim, type LeaseClaim } from "@skep/core/identity/bridge.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type pg from "pg";
import { inTransaction, type Queryable } from "../sql.ts";

interface BridgeRow {
  deployment_id: string;
  node_id: string;
  instance_id: string;
  epoch: number;
  until: number;
  now: number;
}

/** Each row is there before it is locked, so that of two first claims one waits for the other. */
const OPEN = `INSERT INTO bridges (deployment_id) SELECT jsonb_array_elements_text($1) ORDER BY 1
  ON CONFLICT DO NOTHING`;
const LOCK = `SELECT *, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now FROM bridges
  WHERE deployment_id IN (SELECT jsonb_array_elements_text($1)) ORDER BY deployment_id FOR UPDATE`;
const SAVE = `UPDATE bridges b SET node_id = g."nodeId", instance_id = g."instanceId", epoch = g.epoch, until = g.until
  FROM jsonb_to_recordset($1) AS g("deploymentId" text, "nodeId" text, "instanceId" text, epoch integer, until bigint)
  WHERE b.deployment_id = g."deploymentId"`;

/**
 * Judges the claims of a node while the records are not the fleet's. A recovery waits for it, or it
 * finds the records recovered and grants nothing.
 */
export async function bridgeLeases(
  db: Queryable,
  nodeId: NodeId,
  claims: readonly LeaseClaim[],
  terms: { readonly leaseMs: number; readonly mayBegin: boolean },
): Promise<readonly InstanceEpoch[]> {
  const wanted = claimsByDeployment(claims);
  return inTransaction(db, async connection => {
    const isOpen = await connection.query("SELECT FROM platform WHERE unrecovered IS NOT NULL FOR SHARE");
    return isOpen.rowCount === 0 ? [] : judgeAll(connection, nodeId, wanted, terms);
  });
}

async function judgeAll(
  connection: pg.PoolClient,
  nodeId: NodeId,
  wanted: ReadonlyMap<string, LeaseClaim>,
  terms: { readonly leaseMs: number; readonly mayBegin: boolean },
): Promise<readonly InstanceEpoch[]> {
  const ids = [JSON.stringify([...wanted.keys()])];
  await connection.query(OPEN, ids);
  const { rows } = await connection.query<BridgeRow>(LOCK, ids);
  const answers = rows.map(row => {
    const { deployment_id: deploymentId, node_id, instance_id: instanceId, epoch, until, now } = row;
    const known = node_id === "" ? undefined : { deploymentId, nodeId: node_id, instanceId, epoch, until };
    return judgeClaim(known, { ...wanted.get(deploymentId)!, nodeId }, { ...terms, now });
  });
  await connection.query(SAVE, [JSON.stringify(answers.map(one => one.bridge))]);
  return answers.flatMap(({ isGranted, bridge }) =>
    isGranted ? [{ instanceId: bridge.instanceId, epoch: bridge.epoch }] : [],
  );
}
