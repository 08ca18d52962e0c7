import { LOCATION_COLUMNS, NODE_COLUMNS } from "../tables.ts";

interface Watched {
  readonly table: string;
  readonly kind: string;
  /** Column that says which one of the kind it is of. */
  readonly id: string;
  /**
   * An update counts when one of these changes: others are written all the time, and the world does
   * not have them.
   */
  readonly only?: { readonly key: readonly string[]; readonly columns: readonly string[] };
}

const LOCATION_KEY: readonly string[] = ["instance_id", "epoch"];
const NODE_KEY: readonly string[] = ["node_id"];
/**
 * Last sight is written every few seconds and nothing is decided by it. A session makes a node
 * count.
 */
const NODE_WATCHED = [...NODE_COLUMNS.filter(column => column !== "seen_at"), "session_id"];

const besides = (key: readonly string[], columns: readonly string[]): readonly string[] =>
  columns.filter(column => !key.includes(column));

/** Releases are not: they never change, and a record that begins or ceases to use one is noted. */
const WATCHED: readonly Watched[] = [
  { table: "tenants", kind: "tenant", id: "id" },
  {
    table: "node_metadata",
    kind: "node",
    id: "node_id",
    only: { key: NODE_KEY, columns: besides(NODE_KEY, NODE_WATCHED) },
  },
  { table: "deployments", kind: "deployment", id: "id" },
  { table: "instances", kind: "instance", id: "id" },
  { table: "released_ports", kind: "ports", id: "node_id" },
  { table: "volumes", kind: "volume", id: "id" },
  {
    table: "deployment_locations",
    kind: "instance",
    id: "instance_id",
    only: { key: LOCATION_KEY, columns: besides(LOCATION_KEY, LOCATION_COLUMNS) },
  },
];

const TRUNCATED = `
CREATE OR REPLACE FUNCTION world_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE world_horizon SET xid = greatest(xid, pg_current_xact_id()::text::bigint);
  RETURN NULL;
END $$;`;

/**
 * One entry per statement and row; the old rows of an update count too, since its key may have
 * changed.
 */
function triggersOf({ table, kind, id, only }: Watched): string {
  const insert = `INSERT INTO world_changes (kind, id) SELECT DISTINCT '${kind}', ${id} FROM`;
  const row = (name: string): string => `(${(only?.columns ?? []).map(column => `${name}.${column}`).join(", ")})`;
  const changed =
    only === undefined
      ? `(SELECT ${id} FROM after UNION ALL SELECT ${id} FROM before) x`
      : `(SELECT ${id} FROM after a FULL JOIN before b USING (${only.key.join(", ")})
          WHERE ${row("a")} IS DISTINCT FROM ${row("b")}) x`;
  const on = (event: string, referencing: string, body: string): string => `
CREATE OR REPLACE FUNCTION world_${table}_${event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  ${body};
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER world_${table}_${event} AFTER ${event.toUpperCase()} ON ${table}
  REFERENCING ${referencing} FOR EACH STATEMENT EXECUTE FUNCTION world_${table}_${event}();`;
  return [
    on("insert", "NEW TABLE AS after", `${insert} after`),
    on("delete", "OLD TABLE AS before", `${insert} before`),
    on("update", "NEW TABLE AS after OLD TABLE AS before", `${insert} ${changed}`),
    `CREATE OR REPLACE TRIGGER world_${table}_truncate AFTER TRUNCATE ON ${table} EXECUTE FUNCTION world_truncated();`,
  ].join("\n");
}

/**
 * The log of what changed, which the database keeps for every writer; see
 * `migrations/0005-world-changes.ts`.
 */
export const WORLD_CHANGES: readonly string[] = [TRUNCATED, ...WATCHED.map(triggersOf)];
