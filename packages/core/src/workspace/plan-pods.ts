import type { Deployment, DeploymentId, DeploymentSpec } from "../model/deployment.ts";
import type { InstanceRecord, Location } from "../model/instance.ts";
import type { TenantId } from "../model/tenant.ts";
import type { Volume } from "../model/volume.ts";
import { byText } from "../world/order.ts";
import type { Connector, WorkspaceId } from "./connector.ts";
import { podId, workspaceOfPod } from "./pod.ts";
import type { WorkspaceRecord } from "./record.ts";

/** A workspace that has a pod, or needs one. */
export interface PodWorkspace {
  readonly id: WorkspaceId;
  readonly tenantId: TenantId;
  readonly desired: WorkspaceRecord["desired"];
  readonly connector: Connector;
  /** It is standalone, or on its way from or to it. */
  readonly needsPod: boolean;
  /** Some host has it: where that is its own, the pod must stay until it has let go. */
  readonly isHeld: boolean;
  /** It is dropped with its data: once its pod is gone, the pod's volumes go. */
  readonly removesData: boolean;
  /** What is recorded to be wrong with its pod; empty for nothing. */
  readonly podProblem: string;
}

/** A pod as it is recorded. */
export interface Pod {
  readonly deployment: Deployment;
  readonly spec: DeploymentSpec;
  /** Of this deployment, in the order of their serials. */
  readonly instances: readonly InstanceRecord[];
}

/** What the leader decides on. */
export interface PodRecords {
  readonly workspaces: readonly PodWorkspace[];
  readonly pods: readonly Pod[];
  /** Volumes that are kept of workspaces that are dropped with their data. */
  readonly volumes: readonly Volume[];
}

/** One thing to do. Each names what it goes by; a change of that makes it void. */
export type PodChange =
  | {
      readonly kind: "create";
      readonly workspaceId: WorkspaceId;
      readonly tenantId: TenantId;
      readonly spec: DeploymentSpec;
    }
  | {
      readonly kind: "change";
      readonly workspaceId: WorkspaceId;
      readonly deploymentId: DeploymentId;
      readonly version: number;
      readonly desired: Deployment["desired"];
      /** Absent where the spec stays as it is. */
      readonly spec?: DeploymentSpec;
    }
  | {
      readonly kind: "give-up";
      readonly workspaceId: WorkspaceId;
      readonly deploymentId: DeploymentId;
      readonly volume: Volume;
    };

/** Pods that may be without a running copy at once because their spec was changed. */
export const MOST_CHANGING = 3;

/**
 * What is to be done so that each workspace that needs a pod has one, with this spec, and nobody
 * else has. A pod whose workspace is not wanted stays until no host has the workspace; and volumes
 * that are to go stay until the pod is gone, which may be writing there. A new spec
 * goes to few at a time: it stops what runs, and a new version of an image is for all of them.
 */
export function planPods(
  { workspaces, pods, volumes }: PodRecords,
  specs: ReadonlyMap<WorkspaceId, DeploymentSpec>,
): readonly PodChange[] {
  const byId = new Map(pods.map(one => [one.deployment.id, one]));
  const wanted = new Map(workspaces.map(one => [podId(one.tenantId, one.id), one]));
  let changing = pods.filter(isChanging).length;
  const changes = workspaces
    .toSorted((a, b) => byText(a.id, b.id))
    .flatMap((one): readonly PodChange[] => {
      const spec = specs.get(one.id);
      const pod = byId.get(podId(one.tenantId, one.id));
      const desired = desiredOf(one);
      if (pod === undefined) {
        if (one.removesData) return volumes.flatMap(volume => givenUp(one, volume));
        if (desired !== "run" || spec === undefined) return [];
        return [{ kind: "create", workspaceId: one.id, tenantId: one.tenantId, spec }];
      }
      const { id: deploymentId, resourceVersion: version } = pod.deployment;
      if (pod.deployment.desired === "deleted") return [];
      const isOther = desired === "run" && spec !== undefined && !isSame(pod.spec, spec);
      // One that does not run anyway has nothing to lose.
      const mayChange = isOther && (changing < MOST_CHANGING || currentOf(pod)?.state !== "running");
      if (mayChange) changing += 1;
      if (!mayChange && desired === pod.deployment.desired) return [];
      const change = { kind: "change", workspaceId: one.id, deploymentId, version, desired } as const;
      return [mayChange ? { ...change, spec } : change];
    });
  const left = pods.filter(({ deployment: { id, desired } }) => !wanted.has(id) && desired !== "deleted");
  return [
    ...changes,
    ...left.map(({ deployment: { id: deploymentId, resourceVersion: version } }) => ({
      ...({ kind: "change", deploymentId, version, desired: "deleted" } as const),
      workspaceId: workspaceOfPod(deploymentId) ?? "",
    })),
  ];
}

function givenUp({ id, tenantId }: PodWorkspace, volume: Volume): readonly PodChange[] {
  const deploymentId = podId(tenantId, id);
  if (volume.owner !== deploymentId) return [];
  return [{ kind: "give-up", workspaceId: id, deploymentId, volume }];
}

/** Dropped workspaces of whose pods something is left that goes with their data. */
export function leavingPods({ workspaces, pods, volumes }: PodRecords): ReadonlySet<WorkspaceId> {
  const left = new Set([...pods.map(one => one.deployment.id), ...volumes.map(one => one.owner)]);
  return new Set(workspaces.flatMap(one => (one.removesData && left.has(podId(one.tenantId, one.id)) ? [one.id] : [])));
}

/** While a host has the workspace the pod stays as it is wanted to run: it has to let go first. */
function desiredOf({ desired, needsPod, isHeld }: PodWorkspace): Deployment["desired"] {
  if (isHeld || (needsPod && desired === "run")) return "run";
  return needsPod && desired === "stopped" ? "stopped" : "deleted";
}

/** Whether a new spec is on its way into it. */
function isChanging(pod: Pod): boolean {
  const { desired, release } = pod.deployment;
  const current = currentOf(pod);
  return desired === "run" && release > 1 && (current?.state !== "running" || current.release !== release);
}

function currentOf({ instances }: Pod): Location | undefined {
  return instances.flatMap(one => one.locations).toSorted((a, b) => b.changedAt - a.changedAt)[0];
}

/** Both are made of plain values, in whatever order of their fields. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every(key => isSame(Reflect.get(a, key), Reflect.get(b, key)));
}

/**
 * What is wrong with a pod that is to run, and what to do; `undefined` while it may come by itself.
 */
export function whatIsWrong(pod: Pod): string | undefined {
  const { id, desired } = pod.deployment;
  if (desired !== "run") return undefined;
  const { current, refusal } = latestOf(pod);
  if (current === undefined) {
    if (refusal === undefined) return undefined;
    const removed = refusal.removed.map(one => one.sentence);
    const advice = refusal.advice === "" ? "give the fleet another node" : refusal.advice;
    return `no node takes its pod ${id}: ${[...removed, advice].join("; ")} (skep explain ${id})`;
  }
  const { state, health, message, nodeId } = current;
  const look = `see skep logs ${id}`;
  if (state === "running")
    return health === "unhealthy" ? `its pod ${id} on node ${nodeId} is unhealthy: ${message || look}` : undefined;
  if (/ cannot be pulled: /.test(message))
    return `its pod ${id} does not begin on node ${nodeId}: ${message}; bring that image to the registry, or name another at the schedulers`;
  const isBad = state === "failed" || / cannot be | is given up: |ended|exited/.test(message);
  return isBad
    ? `its pod ${id} is ${state} on node ${nodeId}: ${message || "it does not say why"}; ${look}`
    : undefined;
}

function latestOf({ instances }: Pod): {
  readonly current: Location | undefined;
  readonly refusal: InstanceRecord["instance"]["refusal"];
} {
  const instance = instances.findLast(one => one.instance.desired === "run");
  const current = instance?.locations.toSorted((a, b) => b.epoch - a.epoch)[0];
  return { current, refusal: instance?.instance.refusal };
}

/** What a workspace that no host has waits for, by its pod. `undefined` where it has no pod. */
export function whyPodWaits(pod: Pod | undefined): string | undefined {
  if (pod === undefined) return undefined;
  const { id, desired } = pod.deployment;
  if (desired !== "run") return `waits for its pod ${id}, which is ${desired === "deleted" ? "going" : "stopped"}`;
  const { current, refusal } = latestOf(pod);
  if (current === undefined) {
    const removed = refusal?.removed.map(one => one.sentence) ?? [];
    const because = removed.length === 0 ? "it is placed next" : removed.join("; ");
    return `waits for its pod ${id} to get a node: ${because}`;
  }
  if (current.state === "running") {
    const unwell = current.health === "unhealthy" ? " A container of it is unhealthy." : "";
    const last = `; where that lasts, see skep logs ${id}: it may not find the schedulers (SKEP_WORKSPACE_API_URL)`;
    return `waits for the host in its pod ${id}, which runs on node ${current.nodeId}, to report${last}.${unwell}`;
  }
  const said = current.message === "" ? "" : `: ${current.message}`;
  return `waits for its pod ${id}, which is ${current.state} on node ${current.nodeId}${said}`;
}
