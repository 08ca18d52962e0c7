import type { Lease, Replica } from "../../store.ts";
import { ask, askOne, type Queryable } from "../sql.ts";

interface LeaseRow {
  holder: string;
  term: number;
  expires_in_ms: number;
  at_ms: number;
}

const LEFT = `extract(epoch FROM expires_at - clock_timestamp()) * 1000 AS expires_in_ms,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at_ms`;

const TAKE = {
  name: "take-lease",
  text: `
WITH taken AS (
  INSERT INTO leases AS l (name, holder, term, expires_at)
  VALUES ('scheduler', $1, 1, clock_timestamp() + $2 * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
    term = l.term + (l.holder <> excluded.holder)::integer
  WHERE l.holder = excluded.holder OR l.expires_at <= clock_timestamp()
  RETURNING holder, term, ${LEFT})
SELECT * FROM taken
UNION ALL
SELECT holder, term, ${LEFT} FROM leases WHERE name = 'scheduler' AND NOT EXISTS (SELECT FROM taken)`,
};

const RELEASE = {
  name: "release-lease",
  text: `UPDATE leases SET holder = '', expires_at = clock_timestamp() WHERE name = 'scheduler' AND holder = $1`,
};

const READ = {
  name: "read-lease",
  text: `SELECT holder, term, ${LEFT} FROM leases WHERE name = 'scheduler'`,
};

function toLease(row: LeaseRow): Lease {
  return {
    holder: row.holder,
    term: row.term,
    expiresInMs: Math.max(0, Number(row.expires_in_ms)),
    at: Math.round(row.at_ms),
  };
}

/** See `LeaseStore.takeLease`. */
export async function takeLease(db: Queryable, holder: string, ttlMs: number): Promise<Lease> {
  return toLease(await askOne<LeaseRow>(db, TAKE, [holder, ttlMs]));
}

/** See `LeaseStore.releaseLease`. */
export async function releaseLease(db: Queryable, holder: string): Promise<void> {
  await ask(db, RELEASE, [holder]);
}

/** See `LeaseStore.readLease`. */
export async function readLease(db: Queryable): Promise<Lease | undefined> {
  const [row] = await ask<LeaseRow>(db, READ, []);
  return row === undefined ? undefined : toLease(row);
}

/** Old ones are left to the next one that tells. */
const TELL = {
  name: "tell-replica",
  text: `
WITH old AS (DELETE FROM replicas WHERE name <> $1 AND told_at < clock_timestamp() - interval '1 minute'),
told AS (INSERT INTO replicas (name, version, is_leading, is_frozen, told_at) VALUES ($1, $2, $3, $4, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET version = excluded.version, is_leading = excluded.is_leading,
    is_frozen = excluded.is_frozen, told_at = excluded.told_at
  RETURNING name, version, is_leading AS "leading", is_frozen AS "frozen", 0::float8 AS ago_ms)
SELECT name, version, is_leading AS "leading", is_frozen AS "frozen", greatest(0, extract(epoch FROM clock_timestamp() - told_at) * 1000)::float8 AS ago_ms
FROM replicas WHERE name <> $1 AND told_at >= clock_timestamp() - interval '1 minute'
UNION ALL SELECT * FROM told ORDER BY name`,
};

/** See `ReplicaStore.tellReplica`. */
export async function tellReplica(db: Queryable, replica: Omit<Replica, "agoMs">): Promise<readonly Replica[]> {
  const rows = await ask<Omit<Replica, "agoMs"> & { ago_ms: number }>(db, TELL, [
    replica.name,
    replica.version,
    replica.leading,
    replica.frozen,
  ]);
  return rows.map(({ ago_ms: agoMs, ...rest }) => ({ ...rest, agoMs }));
}
