import { connectorFromStored } from "@skep/api/codec/stored/workspace.ts";
import { parseInstanceId } from "@skep/core/model/instance-id.ts";
import type { Pod, PodRecords, PodWorkspace } from "@skep/core/workspace/plan-pods.ts";
import type { PodStore } from "../../pod-store.ts";
import { GOES_ON } from "./moves.ts";
import { toDeployment, toInstance, toLocation, toRelease, toVolume } from "../rows.ts";
import { ask, askOne, listOf, type Queryable } from "../sql.ts";
import {
  LOCATION_COLUMNS,
  type DeploymentRow,
  type InstanceRow,
  type LocationRow,
  type ReleaseRow,
  type VolumeRow,
} from "../tables.ts";

/** Of a workspace `w`: the id of its pod, as core's `podId` says it. */
export const POD_ID = "w.tenant_id || '.ws_' || w.id";

/** Where a port of a pod is, whose deployment is `id`: at the latest of its copies that run. */
export function podAt(id: string, port: string): string {
  return `SELECT n.node_id, n.address AS host, (x ->> 'hostPort')::integer AS port
  FROM deployment_locations l JOIN node_metadata n USING (node_id), jsonb_array_elements(l.ports) x
  WHERE l.deployment_id = ${id} AND l.status = 'running' AND l.desired <> 'stop'
    AND (x ->> 'containerPort')::integer = ${port}
  ORDER BY l.changed_at DESC LIMIT 1`;
}

const OF_PODS = "deployment_id IN (SELECT id FROM deployments WHERE name LIKE 'ws\\_%')";

/** As core's `needsOwn`: one that moves needs both of its halves. */
const NEEDS_POD = `(w.mode = 'standalone' OR EXISTS (SELECT FROM workspace_moves m
    WHERE m.workspace_id = w.id AND m.${GOES_ON}))`;

/** As core's `hasToRun` says it: one that is stopped while it moves goes back first. */
const DESIRED = `CASE WHEN w.desired = 'stopped' AND EXISTS (SELECT FROM workspace_moves m
    WHERE m.workspace_id = w.id AND m.${GOES_ON} AND m.stage <> 'apart') THEN 'run' ELSE w.desired END`;

/** Of a workspace that is dropped with its data; they stay until its pod is gone. */
const LEFT = `FROM volumes v WHERE v.owner = ${POD_ID} AND v.state <> 'removing' AND w.data <> 'keep'`;

/** One statement is one snapshot. */
const LOAD = {
  name: "load-pods",
  text: `SELECT
  ${listOf(`SELECT w.id, w.tenant_id AS "tenantId", ${DESIRED} AS desired, w.connector, ${NEEDS_POD} AS "needsPod",
    w.data <> 'keep' AS "removesData", w.pod_problem AS "podProblem",
    EXISTS (SELECT FROM workspace_locations l JOIN workspace_hosts h USING (host_id)
      WHERE l.workspace_id = w.id AND h.workspace_id = w.id) AS "isHeld"
    FROM workspaces w WHERE ${NEEDS_POD} OR EXISTS (SELECT FROM deployments d WHERE d.id = ${POD_ID})
      OR w.pod_problem <> '' OR (w.data <> 'keep' AND EXISTS (SELECT ${LEFT}))
    ORDER BY w.id COLLATE "C"`)} AS workspaces,
  ${listOf(`SELECT to_json(d) AS deployment,
    json_build_object('deployment_id', r.deployment_id, 'number', r.number, 'spec', r.spec) AS release
    FROM deployments d JOIN releases r ON r.deployment_id = d.id AND r.number = d.release
    WHERE d.name LIKE 'ws\\_%' ORDER BY d.id COLLATE "C"`)} AS pods,
  ${listOf(`SELECT v.* FROM workspaces w, LATERAL (SELECT * ${LEFT}) v
    ORDER BY v.owner COLLATE "C", v.name COLLATE "C", v.serial`)} AS volumes,
  ${listOf(`SELECT * FROM instances WHERE ${OF_PODS}`)} AS instances,
  ${listOf(`SELECT ${LOCATION_COLUMNS.join(", ")} FROM deployment_locations WHERE ${OF_PODS} ORDER BY epoch`)} AS locations`,
};

interface Loaded {
  readonly workspaces: readonly (Omit<PodWorkspace, "connector"> & { readonly connector: unknown })[];
  readonly pods: readonly { readonly deployment: DeploymentRow; readonly release: ReleaseRow }[];
  readonly instances: readonly InstanceRow[];
  readonly locations: readonly LocationRow[];
  readonly volumes: readonly VolumeRow[];
}

async function loadPods(db: Queryable): Promise<PodRecords> {
  const row = await askOne<Loaded & Record<string, unknown>>(db, LOAD, []);
  const locations = Map.groupBy(row.locations.map(toLocation), one => one.instanceId);
  const serialOf = (id: string): number => parseInstanceId(id)?.serial ?? 0;
  const instances = row.instances.map(toInstance).toSorted((a, b) => serialOf(a.id) - serialOf(b.id));
  const byPod = Map.groupBy(instances, one => one.deploymentId);
  return {
    volumes: row.volumes.map(toVolume),
    workspaces: row.workspaces.map(one => ({ ...one, connector: connectorFromStored(one.connector) })),
    pods: row.pods.map((one): Pod => ({
      deployment: toDeployment(one.deployment),
      spec: toRelease(one.release).spec,
      instances: (byPod.get(one.deployment.id) ?? []).map(instance => ({
        instance,
        locations: locations.get(instance.id) ?? [],
      })),
    })),
  };
}

const PROBLEMS = {
  name: "save-pod-problems",
  text: `UPDATE workspaces w SET pod_problem = g.problem
  FROM jsonb_to_recordset($1) AS g(id text, problem text) WHERE w.id = g.id`,
};

const LOCATE = {
  name: "locate-pod",
  text: `SELECT EXISTS (SELECT FROM deployments d WHERE d.id = ${POD_ID}) AS there, p.node_id, p.host, p.port
FROM workspaces w LEFT JOIN LATERAL (${podAt(POD_ID, "$2")}) p ON true WHERE w.id = $1`,
};

interface LocateRow {
  readonly there: boolean;
  readonly node_id: string | null;
  readonly host: string | null;
  readonly port: number | null;
}

/** See `PodStore`. */
export function createPods(db: Queryable): PodStore {
  return {
    loadPods: () => loadPods(db),
    savePodProblems: async problems => {
      await ask(db, PROBLEMS, [JSON.stringify([...problems].map(([id, problem]) => ({ id, problem })))]);
    },
    locatePod: async (workspaceId, containerPort) => {
      const [row] = await ask<LocateRow & Record<string, unknown>>(db, LOCATE, [workspaceId, containerPort]);
      const { there: isThere = false, host = null, port = null, node_id: nodeId } = row ?? {};
      return { isThere, nodeId: nodeId ?? "", address: host === null || port === null ? undefined : { host, port } };
    },
  };
}
