import type { SwarmNode } from "@skep/core/model/report.ts";
import { swarmAddress } from "../../swarm-address.ts";
import { askOne, type Queryable } from "../sql.ts";

/**
 * Each node goes by its own version index. One that is missing from a list has left the Swarm, if
 * the list is younger than what is known of the node: another manager's may lag behind. A changed
 * availability is part of the node's assignment, so it raises the revision.
 */
const SAVE = {
  name: "save-swarm-nodes",
  text: `
WITH given AS (SELECT * FROM jsonb_to_recordset($1) AS g("nodeId" text, hostname text, role text, availability text,
    state text, address text, labels jsonb, "versionIndex" bigint)),
old AS MATERIALIZED (SELECT * FROM node_metadata ORDER BY node_id FOR NO KEY UPDATE),
saved AS (
  INSERT INTO node_metadata AS n (node_id, hostname, address, role, availability, swarm_state, labels, swarm_version)
  SELECT "nodeId", hostname, address, role, availability, state, labels, "versionIndex" FROM given
  WHERE (SELECT count(*) FROM old) >= 0 ORDER BY "nodeId"
  ON CONFLICT (node_id) DO UPDATE SET role = excluded.role, availability = excluded.availability,
    swarm_state = excluded.swarm_state, labels = excluded.labels, swarm_version = excluded.swarm_version,
    hostname = CASE WHEN n.session_id IS NULL THEN excluded.hostname ELSE n.hostname END,
    address = coalesce(nullif(excluded.address, ''), n.address),
    assignment_revision = n.assignment_revision + (n.availability <> excluded.availability)::integer
  WHERE n.swarm_version < excluded.swarm_version
  RETURNING node_id, role, availability, swarm_state, labels, address),
removed AS (
  UPDATE node_metadata n SET swarm_state = 'removed'
  FROM old o WHERE o.node_id = n.node_id AND o.swarm_state <> 'removed' AND o.swarm_version >= 0
    AND o.swarm_version < (SELECT max("versionIndex") FROM given) AND NOT EXISTS (SELECT FROM given WHERE "nodeId" = o.node_id)
  RETURNING n.node_id)
SELECT EXISTS (SELECT FROM removed) OR EXISTS (
  SELECT FROM saved s LEFT JOIN old o USING (node_id)
  WHERE (s.role, s.availability, s.swarm_state, s.labels, s.address)
    IS DISTINCT FROM (o.role, o.availability, o.swarm_state, o.labels, o.address)
) AS changed`,
};

/** See `StatusStore.saveSwarmNodes`. */
export async function saveSwarmNodes(db: Queryable, nodes: readonly SwarmNode[]): Promise<boolean> {
  if (nodes.length === 0) return false;
  const listed = nodes.map(node => ({ ...node, address: swarmAddress(node.address) }));
  return (await askOne<{ changed: boolean }>(db, SAVE, [JSON.stringify(listed)])).changed;
}
