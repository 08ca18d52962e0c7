import { sql, type Kysely } from "kysely";

/**
 * Devices of workspaces. Of a secret only a digest is kept. `version` grows with each change of
 * what a device may, so that a gate can tell that a connection is older than it.
 */
export async function devices(db: Kysely<unknown>): Promise<void> {
  await sql.raw(TABLE).execute(db);
}

const TABLE = `CREATE TABLE devices (
  workspace_id text NOT NULL CONSTRAINT devices_workspace REFERENCES workspaces ON DELETE CASCADE,
  device_id text COLLATE "C" NOT NULL,
  digest text NOT NULL,
  enabled boolean NOT NULL DEFAULT true,
  version bigint NOT NULL DEFAULT 1,
  created_at bigint NOT NULL,
  created_by text NOT NULL,
  seen_at bigint,
  denied bigint NOT NULL DEFAULT 0,
  denied_at bigint,
  denied_topic text NOT NULL DEFAULT '',
  PRIMARY KEY (workspace_id, device_id)
)`;
