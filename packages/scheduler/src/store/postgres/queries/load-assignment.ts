import type { Assignment, Removal } from "@skep/core/model/assignment.ts";
import { specFromStored } from "@skep/api/codec/stored/spec.ts";
import type { DeploymentId, DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { assignmentOf } from "@skep/core/world/assignment-of.ts";
import { toInstance, toLocation, toNode, toVolume } from "../rows.ts";
import { withReceipt } from "../../receipts.ts";
import { IDENTITY, toIdentity } from "./identity.ts";
import {
  LOCATION_COLUMNS,
  NODE_COLUMNS,
  type InstanceRow,
  type LocationRow,
  type NodeRow,
  type PlatformRow,
  type VolumeRow,
} from "../tables.ts";
import { ask, type Queryable } from "../sql.ts";

interface AssignmentRow {
  node: NodeRow;
  term: number | null;
  platform: PlatformRow | null;
  removals: Removal[];
  volumes: VolumeRow[];
  assigned: { location: LocationRow; instance: InstanceRow; spec: unknown }[];
}

const columns = (alias: string, names: readonly string[]): string => names.map(name => `${alias}.${name}`).join(", ");

const LOAD = {
  name: "load-assignment",
  text: `SELECT
  (SELECT to_json(n) FROM (SELECT ${NODE_COLUMNS.join(", ")}) n) AS node,
  (SELECT term FROM leases WHERE name = 'scheduler') AS term,
  ${IDENTITY} AS platform,
  (SELECT coalesce(json_agg(json_build_object('spec', r.spec, 'instance', to_json(i),
      'location', (SELECT to_json(x) FROM (SELECT ${columns("l", LOCATION_COLUMNS)}) x))), '[]')
    FROM deployment_locations l JOIN instances i ON i.id = l.instance_id
    JOIN releases r ON r.deployment_id = l.deployment_id AND r.number = l.release
    WHERE l.node_id = $1) AS assigned,
  (SELECT coalesce(json_agg(json_build_object('instanceId', m.instance_id, 'epoch', m.epoch, 'because', m.because)), '[]')
    FROM removals m WHERE m.node_id = $1) AS removals,
  (SELECT coalesce(json_agg(v ORDER BY v.id COLLATE "C"), '[]') FROM volumes v WHERE v.node_id = $1) AS volumes
FROM node_metadata WHERE node_id = $1 AND session_id IS NOT NULL`,
};

/** See `PlanStore.loadAssignment`. */
export async function loadAssignment(db: Queryable, nodeId: NodeId): Promise<Assignment | undefined> {
  const [row] = await ask<AssignmentRow>(db, LOAD, [nodeId]);
  if (row === undefined) return undefined;
  const node = toNode(row.node);
  const assigned = row.assigned.map(({ location, instance, spec }) => ({
    location: toLocation(location),
    instance: toInstance(instance),
    spec: specFromStored(spec),
  }));
  const identity = toIdentity(row.platform);
  const origin = { ...identity, term: row.term ?? 0 };
  const assignment = assignmentOf(node, origin, assigned, row.removals, row.volumes.map(toVolume));
  return withReceipt(assignment, identity.receiptKey);
}

const SPEC = {
  name: "load-spec",
  text: `SELECT spec FROM releases WHERE deployment_id = $2 AND number = $3
  AND EXISTS (SELECT FROM deployment_locations WHERE node_id = $1 AND deployment_id = $2 AND release = $3)`,
};

/** See `PlanStore.loadSpec`. */
export async function loadSpec(
  db: Queryable,
  nodeId: NodeId,
  deploymentId: DeploymentId,
  release: number,
): Promise<DeploymentSpec | undefined> {
  const [row] = await ask<{ spec: unknown }>(db, SPEC, [nodeId, deploymentId, release]);
  return row === undefined ? undefined : specFromStored(row.spec);
}
