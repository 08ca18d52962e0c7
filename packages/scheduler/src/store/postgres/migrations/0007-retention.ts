import { sql, type Kysely } from "kysely";

/**
 * The audit log is pruned by time. A domain that nothing routes any more is kept for its tenant for
 * a while, also when the tenant is gone.
 */
export async function retention(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  "CREATE INDEX audit_log_by_time ON audit_log (at)",
  "ALTER TABLE domains ADD COLUMN freed_at bigint",
  "ALTER TABLE domains DROP CONSTRAINT domains_tenant_id_fkey",
  "CREATE INDEX domains_by_end ON domains (freed_at) WHERE freed_at IS NOT NULL",
];
