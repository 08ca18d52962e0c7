import type { ReportedStatus } from "@skep/core/model/report.ts";
import { randomBytes } from "node:crypto";
import { aSpec } from "@skep/core/testing/builders.ts";
import type pg from "pg";
import type { Repairs } from "./p10-repairs.ts";
import type { PlayedNode, PlayedNodes } from "./played-nodes.ts";

/** The fleet of the notes' goal: 20 instances on each of 5,000 nodes. */
export const NODES = 5_000;
const PER_NODE = 20;

/** All of them. */
export const INSTANCES: number = NODES * PER_NODE;

/**
 * What the scheduler itself asks first, and all that a reconcile without any difference costs the
 * database.
 */
export const RAW_DIGEST = {
  name: "raw-digest",
  text: "SELECT node_id, bit_xor(digest)::text AS digest, count(*) AS count FROM deployment_locations WHERE status NOT IN ('stopped', 'failed', 'lost') GROUP BY node_id",
};

/**
 * One in a thousand instances differs, each on a node of its own: half by status, the others by row
 * or by record.
 */
const DRIFT: Repairs = { statuses: INSTANCES / 2_000, rows: INSTANCES / 2_500, strangers: INSTANCES / 10_000 };

/** Ids of the nodes, in order. */
export function nodeIds(): readonly string[] {
  return Array.from({ length: NODES }, (_, index) => nodeId(index));
}

const nodeId = (index: number): string => `n${String(index).padStart(5, "0")}`;
const containerId = (index: number): string => `c${index}`;

/** Writes deployments, instances and running locations as a year of work would have left them. */
export async function seedRecords(pool: pg.Pool): Promise<void> {
  const deployments = INSTANCES / 10;
  const statements: readonly (readonly [string, readonly unknown[]])[] = [
    [
      `INSERT INTO node_metadata (node_id, liveness) SELECT 'n' || lpad(i::text, 5, '0'), 'ready' FROM generate_series(0, $1::integer - 1) i`,
      [NODES],
    ],
    [
      `INSERT INTO deployments (id, tenant_id, name, desired, replicas, release, resource_version, next_serial, created_at)
       SELECT 'default.d' || i, 'default', 'd' || i, 'run', 10, 1, 1, 11, 1 FROM generate_series(0, $1::integer - 1) i`,
      [deployments],
    ],
    [
      `INSERT INTO releases (deployment_id, number, spec, cpu_millis, memory_bytes)
       SELECT 'default.d' || i, 1, $2::jsonb, 100, 67108864 FROM generate_series(0, $1::integer - 1) i`,
      [deployments, JSON.stringify(aSpec())],
    ],
    [
      `INSERT INTO instances (id, tenant_id, deployment_id, release, slot, epoch, desired, created_at)
       SELECT 'default.d' || i / 10 || '.' || i % 10 + 1, 'default', 'default.d' || i / 10, 1, i % 10, 1, 'run', 1
       FROM generate_series(0, $1::integer - 1) i`,
      [INSTANCES],
    ],
    [
      `INSERT INTO deployment_locations (instance_id, epoch, deployment_id, tenant_id, release, node_id, desired, desired_at,
         status, health_status, containers, ports, changed_at)
       SELECT 'default.d' || i / 10 || '.' || i % 10 + 1, 1, 'default.d' || i / 10, 'default', 1,
         'n' || lpad((i % $2::integer)::text, 5, '0'), 'run', 1, 'running', 'none',
         jsonb_build_array(jsonb_build_object('name', 'app', 'id', 'c' || i, 'imageId', 'i', 'running', true, 'restarts', 0)), '[]', 1
       FROM generate_series(0, $1::integer - 1) i`,
      [INSTANCES, NODES],
    ],
    ["ANALYZE", []],
  ];
  for (const [text, values] of statements) await pool.query(text, [...values]);
}

/** Lets every played node see exactly what is recorded of it. */
export function takeOver(played: PlayedNodes): void {
  for (let index = 0; index < INSTANCES; index++) {
    const status = statusOf(index);
    played.nodes.get(nodeId(index % NODES))?.running.set(`${status.instanceId} 1`, status);
  }
}

function statusOf(index: number): ReportedStatus {
  const containers = [
    { name: "app", id: containerId(index), imageId: "i", running: true, exitCode: undefined, restarts: 0 },
  ];
  const instanceId = `default.d${Math.floor(index / 10)}.${(index % 10) + 1}`;
  return { instanceId, epoch: 1, state: "running", health: "none", containers, ports: [], message: "" };
}

/** What was made to differ, and how to bring back what the reconcile alone does not end. */
export interface Drift {
  readonly expected: Repairs;
  settle(): Promise<void>;
}

/** Makes one instance in a thousand differ; each round takes other nodes. */
export async function makeDrift(pool: pg.Pool, played: PlayedNodes, round: number): Promise<Drift> {
  const total = DRIFT.statuses + DRIFT.rows + DRIFT.strangers;
  const stride = Math.floor(NODES / total);
  const chosen = Array.from({ length: total }, (_, index) => index * stride + ((round + 1) % stride));
  const ids = chosen.map(index => statusOf(index).instanceId);
  const [stale, missing] = [ids.slice(0, DRIFT.statuses), ids.slice(DRIFT.statuses, DRIFT.statuses + DRIFT.rows)];
  // As if the report that said "running" had never been written.
  await pool.query("UPDATE deployment_locations SET status = 'starting' WHERE instance_id = ANY ($1)", [stale]);
  await pool.query("DELETE FROM deployment_locations WHERE instance_id = ANY ($1)", [missing]);
  const strange: PlayedNode[] = [];
  for (const index of chosen.slice(DRIFT.statuses + DRIFT.rows)) {
    const node = played.nodes.get(nodeId(index));
    if (node === undefined) continue;
    const instanceId = `default.stray${randomBytes(4).toString("hex")}.1`;
    const status = { ...statusOf(index), instanceId };
    node.strangers.set(instanceId, { status, tenantId: "default", deploymentId: instanceId.slice(0, -2), release: 1 });
    strange.push(node);
  }
  return {
    expected: DRIFT,
    // Its agent would remove a stranger once it is told; here the tick that tells it does not run.
    settle: async () => {
      for (const node of strange) {
        node.strangers.clear();
        await played.report(node);
      }
    },
  };
}
