import type pg from "pg";
import { refuse } from "../../refusals.ts";
import type { Mandate } from "../../mandate.ts";
import type { Lease, Replica } from "../../store.ts";
import { ask, askOne, type Queryable, type Statement } from "../sql.ts";
import type { PlatformRow } from "../tables.ts";
import { IDENTITY, toIdentity } from "./identity.ts";

interface LeaseRow {
  holder: string;
  term: number;
  expires_in_ms: number;
  at_ms: number;
  mark: string;
  platform: PlatformRow | null;
}

/**
 * Part of a WITH: one row while the lease is the mandate's, none when it is not. It is locked
 * against a new leader until the statement has ended.
 */
export function leasePart(term: string, holder: string): string {
  return `lease AS MATERIALIZED (SELECT FROM leases WHERE name = 'scheduler'
  AND term = ${term} AND holder = ${holder} AND expires_at > clock_timestamp() FOR SHARE)`;
}

/** Whether the lease is the mandate's; it is kept from being taken until the transaction ends. */
export async function holdsLease(connection: pg.PoolClient, { term, holder }: Mandate): Promise<boolean> {
  const { rowCount } = await connection.query(`WITH ${leasePart("$1", "$2")} SELECT FROM lease`, [term, holder]);
  return rowCount === 1;
}

/**
 * Runs a statement of a leader that answers `leads`, and its row. @throws SkepError `aborted`
 * `LEASE_LOST`.
 */
export async function askLeading<Row extends object>(
  db: Queryable,
  statement: Statement,
  values: readonly unknown[],
  mandate: Mandate,
): Promise<Row> {
  const row = await askOne<Row & { leads: boolean }>(db, statement, values);
  if (!row.leads) throw refuse.leaseLost(mandate.term);
  return row;
}

const LEFT = `extract(epoch FROM expires_at - clock_timestamp()) * 1000 AS expires_in_ms,
  (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at_ms, expires_at::text AS mark, ${IDENTITY} AS platform`;

const TAKE = {
  name: "take-lease",
  text: `
WITH taken AS (
  INSERT INTO leases AS l (name, holder, term, expires_at)
  VALUES ('scheduler', $1, 1, clock_timestamp() + $2 * interval '1 millisecond')
  ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,
    term = l.term + (l.holder <> excluded.holder)::integer
  WHERE l.holder IN (excluded.holder, '') OR l.expires_at <= clock_timestamp()
    OR (l.holder, l.term, l.expires_at::text) = ($3, $4::bigint, $5)
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
    mark: row.mark,
    identity: toIdentity(row.platform),
  };
}

/** See `LeaseStore.takeLease`. */
export async function takeLease(db: Queryable, holder: string, ttlMs: number, stalled?: Lease): Promise<Lease> {
  const values = [holder, ttlMs, stalled?.holder ?? null, stalled?.term ?? null, stalled?.mark ?? null];
  return toLease(await askOne<LeaseRow>(db, TAKE, values));
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
told AS (INSERT INTO replicas (name, version, is_leading, is_frozen, holder, told_at)
  VALUES ($1, $2, $3, $4, $5, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET version = excluded.version, is_leading = excluded.is_leading,
    is_frozen = excluded.is_frozen, holder = excluded.holder, told_at = excluded.told_at
  RETURNING name, version, holder, is_leading AS "leading", is_frozen AS "frozen", 0::float8 AS ago_ms)
SELECT name, version, holder, is_leading AS "leading", is_frozen AS "frozen",
  greatest(0, extract(epoch FROM clock_timestamp() - told_at) * 1000)::float8 AS ago_ms
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
    replica.holder,
  ]);
  return rows.map(({ ago_ms: agoMs, ...rest }) => ({ ...rest, agoMs }));
}
