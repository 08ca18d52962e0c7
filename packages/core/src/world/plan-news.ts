import { isWaiting } from "../model/waiting.ts";
import type { Decision } from "../model/decision.ts";
import { mountKey } from "../model/volume.ts";
import type { Change, Plan } from "./plan.ts";
import type { World } from "./world.ts";

/** A plan in words: what is recorded, logged and shown to people, and which records it touched. */
export interface PlanNews {
  readonly decisions: readonly Decision[];
  readonly deploymentIds: readonly string[];
  readonly nodeIds: readonly string[];
}

/**
 * Tells a committed plan. Records are looked up in the world before it, since a plan also forgets.
 */
export function newsOf(plan: Plan, before: World, now: number): PlanNews {
  const named = new Set(plan.changes.map(idOf));
  const owners = new Map<string, Owner>();
  for (const { id, deploymentId, tenantId } of before.instances)
    if (named.has(id)) owners.set(id, { deploymentId, tenantId });
  for (const change of plan.changes) {
    if (change.kind !== "create-instance") continue;
    const { id, deploymentId, tenantId } = change.instance;
    owners.set(id, { deploymentId, tenantId });
  }
  const tenants = new Map(before.deployments.map(deployment => [deployment.id, deployment.tenantId]));
  const nodes = new Map<string, string>();
  for (const one of before.locations)
    if (named.has(one.instanceId)) nodes.set(`${one.instanceId} ${one.epoch}`, one.nodeId);
  const hostnames = new Map(before.nodes.map(node => [node.id, node.hostname]));
  const decisions = plan.changes.map((change): Decision => {
    const instanceId = idOf(change);
    const owner = instanceId === undefined ? undefined : owners.get(instanceId);
    const deploymentId = deploymentOf(change) ?? owner?.deploymentId;
    const epoch = "epoch" in change ? change.epoch : undefined;
    const nodeId = nodeOf(change) ?? nodes.get(`${instanceId} ${epoch}`);
    return {
      at: now,
      kind: change.kind === "refuse" && change.refusal === undefined ? "instance.stays" : KINDS[change.kind],
      tenantId: owner?.tenantId ?? tenants.get(deploymentId ?? ""),
      deploymentId,
      instanceId,
      nodeId,
      epoch,
      sentence: sentenceOf(change, nodeId === undefined ? "" : (hostnames.get(nodeId) ?? nodeId)),
    };
  });
  return {
    decisions,
    deploymentIds: unique(decisions.map(decision => decision.deploymentId)),
    nodeIds: unique(decisions.map(decision => decision.nodeId)),
  };
}

function deploymentOf(change: Change): string | undefined {
  if (change.kind === "create-volume" || change.kind === "leave-volume") return change.deploymentId;
  return change.kind === "forget-deployment" ? change.deploymentId : undefined;
}

function nodeOf(change: Change): string | undefined {
  if (change.kind === "create-volume" || change.kind === "leave-volume") return change.volume.nodeId;
  return change.kind === "place" ? change.nodeId : undefined;
}

interface Owner {
  readonly deploymentId: string;
  readonly tenantId: string;
}

const KINDS: Readonly<Record<Change["kind"], string>> = {
  "create-instance": "instance.created",
  "stop-instance": "instance.stopped",
  place: "instance.placed",
  "create-volume": "volume.created",
  "leave-volume": "volume.left",
  refuse: "instance.refused",
  defer: "instance.deferred",
  retire: "location.retired",
  stop: "location.stopped",
  lose: "location.lost",
  "forget-location": "location.forgotten",
  "forget-instance": "instance.forgotten",
  "forget-deployment": "deployment.forgotten",
};

function idOf(change: Change): string | undefined {
  if (change.kind === "forget-deployment" || "volume" in change) return undefined;
  return change.kind === "create-instance" ? change.instance.id : change.instanceId;
}

function sentenceOf(change: Change, hostname: string): string {
  switch (change.kind) {
    case "create-instance":
      return `${change.instance.id} was made for slot ${change.instance.slot}, release ${change.instance.release}.`;
    case "place":
      return `${change.instanceId} goes to ${hostname}: ${change.because}.`;
    case "create-volume":
      return `The volume ${mountKey(change.volume)} is kept on ${hostname} from now on.`;
    case "leave-volume":
      return `The volume ${mountKey(change.volume)} stays behind on ${hostname}: ${change.because}.`;
    case "refuse":
      if (change.refusal === undefined) return `${change.instanceId} stays where it is: what it waited for is over.`;
      if (isWaiting(change.refusal)) return `${change.instanceId} is kept back: ${change.refusal.advice}.`;
      return `${change.instanceId} fits on no node: ${change.refusal.advice}.`;
    case "defer":
      return `${change.instanceId} waits before it is placed again: ${change.because}.`;
    case "stop-instance":
      return `${change.instanceId} is to end: ${change.because}.`;
    case "retire":
      return `${change.instanceId} on ${hostname} leaves the routes: ${change.because}.`;
    case "stop":
      return `${change.instanceId} on ${hostname} is to end: ${change.because}.`;
    case "lose":
      return `${change.instanceId} on ${hostname} is given up: ${change.because}.`;
    case "forget-location":
      return `Nothing of ${change.instanceId} at epoch ${change.epoch} is left${hostname === "" ? "" : ` on ${hostname}`}.`;
    case "forget-instance":
      return `${change.instanceId} has ended.`;
    case "forget-deployment":
      return `${change.deploymentId} is deleted.`;
  }
}

function unique(ids: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(ids.filter(id => id !== undefined))];
}
