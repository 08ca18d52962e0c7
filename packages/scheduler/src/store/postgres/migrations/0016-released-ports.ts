import { sql, type Kysely } from "kysely";

/**
 * Host ports that wait after their last user was forgotten, so that a new leader keeps the wait.
 * `functions/location-bookkeeping.ts` writes them, `functions/world-changes.ts` notes it.
 */
export async function releasedPorts(db: Kysely<unknown>): Promise<void> {
  await sql.raw(RELEASED_PORTS).execute(db);
}

const RELEASED_PORTS = `
CREATE TABLE released_ports (
  node_id text NOT NULL,
  host_port integer NOT NULL,
  protocol text NOT NULL,
  deployment_id text NOT NULL,
  free_at bigint NOT NULL,
  CONSTRAINT released_ports_once PRIMARY KEY (node_id, host_port, protocol)
);`;
