import type { World } from "@skep/core/world/world.ts";
import { ask, askOne, listOf, type Queryable } from "../sql.ts";
import { LOCATION_COLUMNS, NODE_COLUMNS } from "../tables.ts";
import { createWorldCache, type Changed, type WorldCache, type WorldRows } from "../world-cache.ts";

/**
 * Where a reading stands: every transaction below `since` is in it, as this start of the database
 * counts them. `log` is the table of changes itself: a database that was made anew or restored has
 * another one, and its log says nothing of what was known before.
 */
interface Mark {
  readonly since: number;
  readonly started: string;
  readonly log: number;
}

type Answer = WorldRows & Mark;

/**
 * A node counts from the day its agent first came until it has left the Swarm and nothing of it is
 * left here.
 */
const COUNTED_NODES = `SELECT ${NODE_COLUMNS.join(", ")} FROM node_metadata
  WHERE session_id IS NOT NULL AND NOT (swarm_state = 'removed' AND liveness = 'down' AND deployment_count = 0)`;

const IN_USE = `(EXISTS (SELECT FROM deployments d WHERE d.id = r.deployment_id AND d.release = r.number) OR
    EXISTS (SELECT FROM instances i WHERE i.deployment_id = r.deployment_id AND i.release = r.number))`;

const MARK = `pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS since,
  pg_postmaster_start_time()::text AS started, 'world_changes'::regclass::oid::bigint AS log,
  coalesce((SELECT placements FROM leases WHERE name = 'scheduler'), 0) AS placements`;

/** Everything. One statement is one snapshot: no row of it is younger than another. */
const LOAD = {
  name: "load-world",
  text: `SELECT ${listOf("SELECT * FROM tenants")} AS tenants,
  ${listOf(COUNTED_NODES)} AS nodes,
  ${listOf("SELECT * FROM deployments")} AS deployments,
  ${listOf(`SELECT r.deployment_id, r.number, r.uid FROM releases r WHERE ${IN_USE}`)} AS releases,
  ${listOf(`SELECT r.uid, r.spec FROM releases r WHERE ${IN_USE}`)} AS specs,
  ${listOf("SELECT * FROM instances")} AS instances,
  ${listOf(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations`)} AS locations,
  ${listOf("SELECT * FROM released_ports")} AS released_ports,
  ${listOf("SELECT * FROM volumes")} AS volumes,
  ${MARK}`,
};

/**
 * An array, so that the few rows are found by their keys whatever size the planner estimates for
 * the log.
 */
const named = (kind: Changed["kind"]): string => `ANY (ARRAY(SELECT id FROM changed WHERE kind = '${kind}'))`;

/**
 * A range, of which the planner expects little, where of what is only bounded below it expects a
 * third of the table.
 */
const from = (parameter: string): string => `BETWEEN ${parameter} AND ${Number.MAX_SAFE_INTEGER}`;

/** What changed since a mark. `is_valid` is false where the log does not reach back to it. */
const LOAD_CHANGES = {
  name: "load-world-changes",
  text: `WITH changed AS MATERIALIZED (SELECT DISTINCT kind, id FROM world_changes WHERE xid ${from("$1")}),
instances_now AS MATERIALIZED (SELECT * FROM instances WHERE id = ${named("instance")}),
concerned AS MATERIALIZED (SELECT id FROM changed WHERE kind = 'deployment' UNION SELECT deployment_id FROM instances_now),
in_use AS MATERIALIZED (SELECT id, release FROM deployments WHERE id = ANY (ARRAY(SELECT id FROM concerned))
  UNION SELECT deployment_id, release FROM instances WHERE deployment_id = ANY (ARRAY(SELECT id FROM concerned))),
specs_now AS MATERIALIZED (SELECT r.uid, r.spec FROM releases r WHERE r.uid ${from("$2 + 1")})
SELECT (SELECT xid FROM world_horizon) < $1 AS is_valid,
  ${listOf("SELECT kind, id FROM changed")} AS changed,
  ${listOf(`SELECT * FROM tenants WHERE id = ${named("tenant")}`)} AS tenants,
  ${listOf(`${COUNTED_NODES} AND node_id = ${named("node")}`)} AS nodes,
  ${listOf(`SELECT * FROM deployments WHERE id = ${named("deployment")}`)} AS deployments,
  ${listOf(`SELECT r.deployment_id, r.number, r.uid FROM in_use u, releases r
    WHERE r.deployment_id = u.id AND r.number = u.release AND r.deployment_id = ANY (ARRAY(SELECT id FROM concerned))`)} AS releases,
  ${listOf("SELECT * FROM specs_now")} AS specs,
  ${listOf("SELECT * FROM instances_now")} AS instances,
  ${listOf(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations WHERE instance_id = ${named("instance")}`)} AS locations,
  ${listOf(`SELECT * FROM released_ports WHERE node_id = ${named("ports")}`)} AS released_ports,
  ${listOf(`SELECT * FROM volumes WHERE id = ${named("volume")}`)} AS volumes,
  ${MARK}`,
};

const SPECS = { name: "load-specs", text: "SELECT uid, spec FROM releases WHERE uid = ANY ($1)" };

/**
 * Makes the reader behind `PlanStore.loadWorld`: the first call reads everything, those that follow
 * what changed since. Calls wait for each other, so that none puts older records over newer ones.
 */
export function createWorldReader(db: Queryable): () => Promise<World> {
  let known: { readonly cache: WorldCache; readonly mark: Mark } | undefined;
  let last: Promise<unknown> = Promise.resolve();

  async function read(): Promise<World> {
    const before = known;
    // Whatever fails, nobody goes on from a cache that may have half of it.
    known = undefined;
    const fresh = (before === undefined ? undefined : await readChanges(db, before)) ?? (await readAll(db));
    known = fresh;
    return fresh.cache.world();
  }

  return () => {
    const reading = last.then(read, read);
    last = reading.catch(() => undefined);
    return reading;
  };
}

interface Reading {
  readonly cache: WorldCache;
  readonly mark: Mark;
}

async function readAll(db: Queryable): Promise<Reading> {
  const { since, started, log, ...rows } = await askOne<Answer>(db, LOAD, []);
  const cache = createWorldCache();
  cache.apply([], rows);
  return { cache, mark: { since, started, log } };
}

/** `undefined` where the log cannot say it. */
async function readChanges(db: Queryable, { cache, mark }: Reading): Promise<Reading | undefined> {
  const values = [mark.since, cache.highestUid()];
  const answer = await askOne<Answer & { is_valid: boolean; changed: Changed[] }>(db, LOAD_CHANGES, values);
  const { is_valid: isValid, changed, since, started, log, ...rows } = answer;
  if (!isValid || started !== mark.started || log !== mark.log) return undefined;
  // Numbers are given out before they become visible, so a smaller one can appear later than a
  // greater one.
  const lacking = cache.lacking(rows);
  const late = lacking.length === 0 ? [] : await ask<{ uid: number; spec: unknown }>(db, SPECS, [lacking]);
  cache.apply(changed, { ...rows, specs: [...rows.specs, ...late] });
  return { cache, mark: { since, started, log } };
}
