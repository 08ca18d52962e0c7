import { sql, type Kysely } from "kysely";

/**
 * What changed, so that a scheduler that knows the world reads only that: `queries/load-world.ts`. The database notes it
 * itself, whoever writes, a person with psql included. Each entry has the number of its transaction: whoever has a
 * snapshot has seen every transaction below the snapshot's `xmin`, and asks for the entries from there on. Entries that are
 * pruned raise `world_horizon`; who asks for older ones reads everything, and so does everybody after a TRUNCATE.
 */
export async function worldChanges(db: Kysely<unknown>): Promise<void> {
  await sql.raw(LOG).execute(db);
  for (const watched of WATCHED) await sql.raw(triggersOf(watched)).execute(db);
}

const LOG = `
CREATE TABLE world_changes (
  xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  kind text NOT NULL,
  id text NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX world_changes_by_xid ON world_changes (xid);
CREATE INDEX world_changes_by_time ON world_changes (at);
CREATE TABLE world_horizon (xid bigint NOT NULL);
INSERT INTO world_horizon VALUES (0);
CREATE FUNCTION world_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE world_horizon SET xid = greatest(xid, pg_current_xact_id()::text::bigint);
  RETURN NULL;
END $$;`;

interface Watched {
  readonly table: string;
  readonly kind: string;
  /** Column that says which one of the kind it is of. */
  readonly id: string;
  /** An update counts when one of these changes: others are written all the time, and the world does not have them. */
  readonly only?: { readonly key: string; readonly columns: readonly string[] };
}

const LOCATION_KEY = "instance_id, epoch";
const LOCATION_COLUMNS = [
  ...["release", "node_id", "desired", "desired_at", "status", "health_status"],
  ...["containers", "ports", "message", "changed_at"],
];
const NODE_COLUMNS = [
  ...["session_id", "hostname", "address", "role", "availability", "swarm_state", "labels", "engine_labels", "os"],
  ...["architecture", "engine_version", "cpu_millis", "memory_bytes", "max_instances", "port_from", "port_to"],
  ...["cpu_share", "memory_share", "liveness", "last_placed", "assignment_revision", "deployment_count"],
];

/** Releases are not: they never change, and whoever begins to use one or ceases to is noted. */
const WATCHED: readonly Watched[] = [
  { table: "tenants", kind: "tenant", id: "id" },
  { table: "node_metadata", kind: "node", id: "node_id", only: { key: "node_id", columns: NODE_COLUMNS } },
  { table: "deployments", kind: "deployment", id: "id" },
  { table: "instances", kind: "instance", id: "id" },
  {
    ...{ table: "deployment_locations", kind: "instance", id: "instance_id" },
    only: { key: LOCATION_KEY, columns: LOCATION_COLUMNS },
  },
];

/** One entry per statement and row; the old rows of an update count too, since its key may have changed. */
function triggersOf({ table, kind, id, only }: Watched): string {
  const insert = `INSERT INTO world_changes (kind, id) SELECT DISTINCT '${kind}', ${id} FROM`;
  const row = (name: string): string => `(${(only?.columns ?? []).map(column => `${name}.${column}`).join(", ")})`;
  const changed =
    only === undefined
      ? `(SELECT ${id} FROM after UNION ALL SELECT ${id} FROM before) x`
      : `(SELECT ${id} FROM after a FULL JOIN before b USING (${only.key}) WHERE ${row("a")} IS DISTINCT FROM ${row("b")}) x`;
  const on = (event: string, referencing: string, body: string): string => `
CREATE FUNCTION world_${table}_${event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  ${body};
  RETURN NULL;
END $$;
CREATE TRIGGER world_${table}_${event} AFTER ${event.toUpperCase()} ON ${table}
  REFERENCING ${referencing} FOR EACH STATEMENT EXECUTE FUNCTION world_${table}_${event}();`;
  return [
    on("insert", "NEW TABLE AS after", `${insert} after`),
    on("delete", "OLD TABLE AS before", `${insert} before`),
    on("update", "NEW TABLE AS after OLD TABLE AS before", `${insert} ${changed}`),
    `CREATE TRIGGER world_${table}_truncate AFTER TRUNCATE ON ${table} EXECUTE FUNCTION world_truncated();`,
  ].join("\n");
}
