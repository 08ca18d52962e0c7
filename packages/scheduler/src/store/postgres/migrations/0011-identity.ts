import { sql, type Kysely } from "kysely";

/**
 * What tells this database from every other: its incarnation, which incarnations it replaces, and
 * whether its records are known not to be the fleet's. `MINT_IDENTITY` makes the one row.
 */
export async function identity(db: Kysely<unknown>): Promise<void> {
  for (const statement of [PLATFORM, ORPHANS]) await sql.raw(statement).execute(db);
}

const PLATFORM = `CREATE TABLE platform (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  incarnation text NOT NULL,
  succeeds jsonb NOT NULL DEFAULT '[]',
  serial_floor integer NOT NULL DEFAULT 0,
  unrecovered jsonb
)`;

/** What runs without a record and is left alone, for people. */
const ORPHANS = `CREATE TABLE orphans (
  node_id text NOT NULL,
  instance_id text NOT NULL,
  epoch integer NOT NULL,
  because text NOT NULL,
  since bigint NOT NULL,
  PRIMARY KEY (node_id, instance_id, epoch)
)`;

/**
 * A database has an incarnation from its first migration on; one that lost its row gets another.
 */
export const MINT_IDENTITY = `INSERT INTO platform (incarnation)
  VALUES ('inc_' || replace(gen_random_uuid()::text, '-', '')) ON CONFLICT DO NOTHING;`;
