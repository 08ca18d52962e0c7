import type { Decision } from "@skep/core/model/decision.ts";
import type { DeploymentId } from "@skep/core/model/deployment.ts";
import { deploymentIdOf, tenantOf } from "@skep/core/model/instance-id.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { podId } from "@skep/core/workspace/pod.ts";
import { whatIsWrong, whyPodWaits, type PodChange, type PodRecords } from "@skep/core/workspace/plan-pods.ts";

/** Why no pod can be made where nobody said how one would find the schedulers. */
export const PODS_UNSET =
  "SKEP_WORKSPACE_API_URL is not set, so a pod would not find the schedulers; set it at the schedulers";

/** Why what is wanted of pods was refused, by their workspaces. */
export type Refused = ReadonlyMap<WorkspaceId, string>;

/** What each workspace waits for that is to have a pod and has no host. */
export function waitingOf(
  { workspaces, pods }: PodRecords,
  canBeMade: boolean,
  refused: Refused,
): ReadonlyMap<WorkspaceId, string> {
  const byId = new Map(pods.map(one => [one.deployment.id, one]));
  const waiting = workspaces.flatMap((one): readonly (readonly [WorkspaceId, string])[] => {
    // Until a move has ended it waits for what its mode says; a dropped one for a shared host.
    if (one.connector.config.resources.type !== "standalone" || one.desired === "deleted") return [];
    const id = podId(one.tenantId, one.id);
    const problem = whyRefused(byId.has(id), canBeMade, refused.get(one.id));
    if (problem !== undefined) return [[one.id, `waits for its pod ${id}, which ${problem}`]];
    return [[one.id, whyPodWaits(byId.get(id)) ?? `waits for its pod ${id}, which is being made`]];
  });
  return new Map(waiting);
}

/** What is wrong with the pods of workspaces that need one, and what to do. */
export function problemsOf({ workspaces, pods }: PodRecords, canBeMade: boolean, refused: Refused): Refused {
  const byId = new Map(pods.map(one => [one.deployment.id, one]));
  return new Map(
    workspaces.map(one => {
      if (!one.needsPod || one.desired !== "run") return [one.id, ""];
      const id = podId(one.tenantId, one.id);
      const pod = byId.get(id);
      const problem = whyRefused(pod !== undefined, canBeMade, refused.get(one.id));
      if (problem !== undefined) return [one.id, `its pod ${id} ${problem}`];
      return [one.id, pod === undefined ? "" : (whatIsWrong(pod) ?? "")];
    }),
  );
}

function whyRefused(isThere: boolean, canBeMade: boolean, refused: string | undefined): string | undefined {
  if (refused !== undefined) return `cannot be ${isThere ? "changed" : "made"}: ${refused}`;
  return isThere || canBeMade ? undefined : `cannot be made: ${PODS_UNSET}`;
}

/** What is said of a change that was written. */
export function newsOf(change: PodChange, at: number, leaving: ReadonlySet<WorkspaceId>): Decision {
  const { workspaceId } = change;
  const id = change.kind === "create" ? deploymentIdOf(change.tenantId, change.spec.name) : change.deploymentId;
  const say = sayOf(id, workspaceId, at);
  if (change.kind === "create") return say("pod.made", "is made: the workspace needs a host of its own");
  if (change.kind === "give-up") {
    const { name, nodeId } = change.volume;
    return say("pod.volume", `is gone, and its volume ${name} goes: node ${nodeId} is to remove it with the data`);
  }
  const fate = leaving.has(workspaceId) ? "go with it" : "stay";
  if (change.desired === "deleted")
    return say("pod.going", `goes: its workspace needs it no more. Its volumes ${fate}`);
  if (change.desired === "stopped") return say("pod.stopping", "stops: its workspace is stopped");
  return say("pod.changed", change.spec === undefined ? "is to run" : "is made anew: something else is wanted of it");
}

/** What is said of the pod of a workspace that cannot be as it is wanted. */
export function refusalOf(id: DeploymentId, workspaceId: WorkspaceId, because: string, at: number): Decision {
  return sayOf(id, workspaceId, at)("pod.refused", `cannot be as it is wanted: ${because}`);
}

function sayOf(id: DeploymentId, workspaceId: WorkspaceId, at: number): (kind: string, what: string) => Decision {
  const where = { deploymentId: id, instanceId: undefined, nodeId: undefined, epoch: undefined };
  const sentence = (what: string): string => `Pod ${id} of workspace ${workspaceId} ${what}`;
  return (kind, what) => ({
    ...{ at, kind, tenantId: tenantOf(id), ...where },
    sentence: sentence(what).replace(/\.?$/, "."),
  });
}
