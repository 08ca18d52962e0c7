import { sql, type Kysely } from "kysely";

/**
 * The project that a spec names, beside it: what belongs to a project is found without reading
 * every spec of the tenant. No writer has to know of it.
 */
export async function projectsOfReleases(db: Kysely<unknown>): Promise<void> {
  await sql
    .raw("ALTER TABLE releases ADD COLUMN project text GENERATED ALWAYS AS (spec -> 'spec' ->> 'project') STORED")
    .execute(db);
}
