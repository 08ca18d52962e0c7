import type { NodeFacts } from "@skep/core/model/report.ts";
import type { Liveness, NodeId, NodeLoad } from "@skep/core/model/node.ts";
import type { Mandate } from "../../mandate.ts";
import { askOne, type Queryable } from "../sql.ts";
import { askLeading, leasePart } from "./lease.ts";

const LIVENESS = {
  name: "save-liveness",
  text: `
WITH ${leasePart("$3", "$4")},
given AS (SELECT * FROM unnest($1::text[], $2::text[]) AS g(node_id, liveness)),
locked AS MATERIALIZED (
  SELECT n.node_id, g.liveness FROM node_metadata n JOIN given g USING (node_id)
  WHERE n.liveness <> g.liveness AND EXISTS (SELECT FROM lease) ORDER BY n.node_id FOR NO KEY UPDATE OF n),
written AS (UPDATE node_metadata n SET liveness = l.liveness FROM locked l WHERE n.node_id = l.node_id)
SELECT EXISTS (SELECT FROM lease) AS leads`,
};

/** See `PlanStore.saveLiveness`. */
export async function saveLiveness(
  db: Queryable,
  liveness: ReadonlyMap<NodeId, Liveness>,
  mandate: Mandate,
): Promise<void> {
  if (liveness.size === 0) return;
  const values = [[...liveness.keys()], [...liveness.values()], mandate.term, mandate.holder];
  await askLeading(db, LIVENESS, values, mandate);
}

const BEATS = {
  name: "save-beats",
  text: `
WITH ${leasePart("$5", "$6")},
locked AS MATERIALIZED (
  SELECT n.node_id, g.cpu_share, g.memory_share
  FROM node_metadata n JOIN unnest($1::text[], $2::float8[], $3::float8[]) AS g(node_id, cpu_share, memory_share) USING (node_id)
  WHERE EXISTS (SELECT FROM lease) ORDER BY n.node_id FOR NO KEY UPDATE OF n),
written AS (UPDATE node_metadata n SET seen_at = $4, cpu_share = coalesce(l.cpu_share, n.cpu_share),
    memory_share = coalesce(l.memory_share, n.memory_share)
  FROM locked l WHERE n.node_id = l.node_id)
SELECT EXISTS (SELECT FROM lease) AS leads`,
};

/** See `StatusStore.saveBeats`. */
export async function saveBeats(
  db: Queryable,
  beats: readonly { readonly nodeId: NodeId; readonly load: NodeLoad | undefined }[],
  mandate: Mandate,
  now: number,
): Promise<void> {
  if (beats.length === 0) return;
  const cpuShares = beats.map(beat => beat.load?.cpuShare ?? null);
  const memoryShares = beats.map(beat => beat.load?.memoryShare ?? null);
  const values = [beats.map(beat => beat.nodeId), cpuShares, memoryShares, now, mandate.term, mandate.holder];
  await askLeading(db, BEATS, values, mandate);
}

/** A new session starts counting its reports anew and has not sent everything yet. */
const FACTS = {
  name: "save-facts",
  text: `
INSERT INTO node_metadata AS n (node_id, session_id, boot_id, hostname, address, os, architecture, engine_version,
  engine_labels, cpu_millis, memory_bytes, max_instances, port_from, port_to, seen_at, reported_block)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (node_id) DO UPDATE SET
  report_seq = CASE WHEN n.session_id = excluded.session_id THEN n.report_seq ELSE 0 END,
  reported_full = n.reported_full AND n.session_id IS NOT DISTINCT FROM excluded.session_id,
  session_id = excluded.session_id, boot_id = excluded.boot_id, hostname = excluded.hostname,
  address = CASE WHEN n.swarm_version >= 0 AND n.address <> '' THEN n.address ELSE excluded.address END,
  os = excluded.os, architecture = excluded.architecture,
  engine_version = excluded.engine_version, engine_labels = excluded.engine_labels, cpu_millis = excluded.cpu_millis,
  memory_bytes = excluded.memory_bytes, max_instances = excluded.max_instances, port_from = excluded.port_from,
  port_to = excluded.port_to, seen_at = excluded.seen_at,
  reported_block = excluded.reported_block
RETURNING address`,
};

/** See `StatusStore.saveFacts`. */
export async function saveFacts(db: Queryable, facts: NodeFacts, now: number): Promise<string> {
  const { capacity } = facts;
  const { address } = await askOne<{ address: string }>(db, FACTS, [
    facts.nodeId,
    facts.sessionId,
    facts.bootId,
    facts.hostname,
    facts.address,
    facts.os,
    facts.architecture,
    facts.engineVersion,
    JSON.stringify(facts.engineLabels),
    capacity.cpuMillis,
    capacity.memoryBytes,
    capacity.instances,
    capacity.portFrom,
    capacity.portTo,
    now,
    facts.block ?? null,
  ]);
  return address;
}
