import { sql, type Kysely } from "kysely";

/** Where hosts are reached. A host that has not reported since is reached nowhere. */
export async function hostAddresses(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw(
      `ALTER TABLE workspace_hosts ADD COLUMN address text NOT NULL DEFAULT '',
  ADD COLUMN events_port integer NOT NULL DEFAULT 0`,
    )
    .execute(db);
}
