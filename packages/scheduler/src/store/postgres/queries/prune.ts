import type { Mandate } from "../../mandate.ts";
import type { Horizon } from "../../store.ts";
import type { Queryable } from "../sql.ts";
import { askLeading, leasePart } from "./lease.ts";

const LEADS = "EXISTS (SELECT FROM lease)";

/**
 * What a release's number is short of, of the one that is wanted, says how old it is. A horizon of
 * the log above the present transaction comes from another server, with a backup: nothing would
 * ever be beyond it.
 */
const PRUNE = {
  name: "prune-history",
  text: `
WITH ${leasePart("$6", "$7")},
old_keys AS (DELETE FROM idempotency_keys WHERE (actor, key) IN
    (SELECT actor, key FROM idempotency_keys WHERE at < $1 AND ${LEADS} LIMIT $5) RETURNING 1),
old_decisions AS (DELETE FROM decisions WHERE id IN
    (SELECT id FROM decisions WHERE at < $2 AND ${LEADS} ORDER BY at LIMIT $5) RETURNING 1),
old_audits AS (DELETE FROM audit_log WHERE id IN
    (SELECT id FROM audit_log WHERE at < $3 AND ${LEADS} ORDER BY at LIMIT $5) RETURNING 1),
old_releases AS (DELETE FROM releases WHERE uid IN
    (SELECT r.uid FROM releases r JOIN deployments d ON d.id = r.deployment_id
      WHERE r.number <= d.release - $4 AND ${LEADS}
        AND NOT EXISTS (SELECT FROM instances i WHERE i.deployment_id = r.deployment_id AND i.release = r.number)
        AND NOT EXISTS (SELECT FROM deployment_locations l WHERE l.deployment_id = r.deployment_id AND l.release = r.number)
      LIMIT $5) RETURNING 1),
old_domains AS (DELETE FROM domains WHERE freed_at < $8 AND ${LEADS} RETURNING 1),
old_changes AS (DELETE FROM world_changes
  WHERE at < clock_timestamp() - interval '5 minutes' AND ${LEADS} RETURNING xid),
raised AS (UPDATE world_horizon SET xid = least(greatest(xid, (SELECT max(xid) FROM old_changes)), pg_current_xact_id()::text::bigint)
  WHERE EXISTS (SELECT FROM old_changes)
    OR (xid > pg_current_xact_id()::text::bigint AND ${LEADS}))
SELECT ${LEADS} AS leads, (SELECT count(*) FROM old_keys) + (SELECT count(*) FROM old_decisions)
  + (SELECT count(*) FROM old_audits) + (SELECT count(*) FROM old_releases) AS deleted`,
};

/** See `HistoryStore.pruneHistory`. */
export async function pruneHistory(db: Queryable, before: Horizon, most: number, mandate: Mandate): Promise<number> {
  const { keysAt, decisionsAt, auditAt, keepReleases, domainsAt } = before;
  const values = [keysAt, decisionsAt, auditAt, keepReleases, most, mandate.term, mandate.holder, domainsAt];
  return (await askLeading<{ deleted: number }>(db, PRUNE, values, mandate)).deleted;
}
