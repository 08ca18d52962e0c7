import type { BrokerAddress } from "@skep/core/workspace/broker.ts";
import { hasToRun, needsOwn } from "@skep/core/workspace/move.ts";
import { podId, workspaceOfPod } from "@skep/core/workspace/pod.ts";
import type { Pod, PodRecords, PodWorkspace } from "@skep/core/workspace/plan-pods.ts";
import { parseInstanceId } from "@skep/core/model/instance-id.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { inOrder, type Records } from "../memory-records.ts";
import type { PodStore } from "../pod-store.ts";
import { getDeployment } from "./spec.ts";
import { listVolumes } from "./volumes.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `PodStore`. */
export function createPods(records: Records, pass: Pass): PodStore {
  return {
    loadPods: () => pass("loadPods", () => loadPods(records)),
    savePodProblems: problems =>
      pass("savePodProblems", () => {
        for (const [id, podProblem] of problems) {
          const record = records.workspaces.get(id);
          if (record !== undefined) records.workspaces.set(id, { ...record, podProblem });
        }
      }),
    locatePod: (workspaceId, port) =>
      pass("locatePod", () => {
        const id = podId(records.workspaces.get(workspaceId)?.tenantId ?? "", workspaceId);
        const { nodeId = "", address } = portOf(records, id, port) ?? {};
        return { isThere: records.deployments.has(id), nodeId, address };
      }),
  };
}

function loadPods(records: Records): PodRecords {
  const pods = inOrder(records.deployments.values(), one => one.id).flatMap(({ id }): readonly Pod[] => {
    const found = workspaceOfPod(id) === undefined ? undefined : getDeployment(records, id);
    if (found === undefined) return [];
    return [{ deployment: found.deployment, spec: found.release.spec, instances: instancesOf(records, id) }];
  });
  const workspaces = inOrder(records.workspaces.values(), one => one.id).map(one => toPodWorkspace(records, one));
  const going = new Set(workspaces.flatMap(one => (one.removesData ? [podId(one.tenantId, one.id)] : [])));
  const volumes = listVolumes(records, {}).filter(one => one.state !== "removing" && going.has(one.owner));
  const left = new Set(volumes.map(one => one.owner));
  const isWanted = (one: PodWorkspace): boolean => {
    const id = podId(one.tenantId, one.id);
    return one.needsPod || one.podProblem !== "" || records.deployments.has(id) || left.has(id);
  };
  return { workspaces: workspaces.filter(isWanted), pods, volumes };
}

function toPodWorkspace(
  records: Records,
  { id, tenantId, desired, connector, data, podProblem }: WorkspaceRecord,
): PodWorkspace {
  const isHeld = [...records.workspaceLocations.values()].some(
    one => one.workspaceId === id && records.workspaceHosts.get(one.hostId)?.workspaceId === id,
  );
  const move = records.workspaceMoves.get(id);
  const needsPod = needsOwn(connector.config.resources.type, move);
  const wanted = hasToRun(desired, move) ? "run" : desired;
  return { id, tenantId, desired: wanted, connector, isHeld, needsPod, removesData: data !== "keep", podProblem };
}

function instancesOf(records: Records, deploymentId: string): Pod["instances"] {
  const instances = [...records.instances.values()].filter(one => one.deploymentId === deploymentId);
  const serialOf = (id: string): number => parseInstanceId(id)?.serial ?? 0;
  return instances
    .toSorted((a, b) => serialOf(a.id) - serialOf(b.id))
    .map(instance => ({
      instance,
      locations: [...records.locations.values()]
        .filter(one => one.instanceId === instance.id)
        .toSorted((a, b) => a.epoch - b.epoch),
    }));
}

/** Where a port of a deployment's running copy is; `undefined` while none runs. */
export function portOf(
  records: Records,
  deploymentId: string,
  containerPort: number,
): { readonly nodeId: string; readonly address: BrokerAddress } | undefined {
  const running = [...records.locations.values()].filter(
    one => one.deploymentId === deploymentId && one.state === "running" && one.desired !== "stop",
  );
  const [latest] = running.toSorted((a, b) => b.changedAt - a.changedAt);
  const port = latest?.ports.find(one => one.containerPort === containerPort)?.hostPort;
  const host = records.nodes.get(latest?.nodeId ?? "")?.node.address;
  if (latest === undefined || port === undefined || host === undefined) return undefined;
  return { nodeId: latest.nodeId, address: { host, port } };
}
