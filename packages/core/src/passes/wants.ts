import { locationsOf, releaseOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import { isJob } from "../model/mode.ts";
import { currentOf, isLive, isShortOfRunning } from "../model/state.ts";
import { mountKey, type Volume } from "../model/volume.ts";
import { waitOf, waitsForOthers } from "./dependencies.ts";
import { unseenUntil } from "./ending.ts";
import { isTied } from "../placement/node-slots.ts";
import { someCopy } from "./single.ts";
import { boundBy, singlesOf } from "./volumes.ts";

/** Why an instance wants a node. */
export type Want = {
  readonly instance: Instance;
  /**
   * Where only one copy may run: what it waits for. It leaves its node before it gets the next one.
   */
  readonly waitsFor: (() => string) | undefined;
} & Kind;

/**
 * `new`: it is nowhere. `move`: its node gives its work away, and it runs on until the new one
 * serves. `elsewhere`: it did not get running in time, and is tried on another node if one fits.
 * `held`: it would want a node, or its own back, and has to wait. `waits`: another deployment is
 * not yet as its first start asks.
 */
type Kind =
  | { readonly kind: "new" }
  | { readonly kind: "move"; readonly from: Node }
  | { readonly kind: "elsewhere"; readonly exclude: NodeId }
  | { readonly kind: "held"; readonly because: () => string }
  | { readonly kind: "waits" };

/** The instances that want a node now. Those in `ending` are on their way out and want none. */
export function wantsOf(draft: Draft, settings: Settings, ending: ReadonlySet<InstanceId>): readonly Want[] {
  const singles = singlesOf(draft);
  const byId = singles.size === 0 ? new Map<DeploymentId, Instance[]>() : byDeployment(draft, singles);
  const placing = new Set<DeploymentId>();
  const wants: Want[] = [];
  for (const instance of draft.instances.values()) {
    if (instance.desired !== "run" || ending.has(instance.id)) continue;
    const kind = wantOf(draft, settings, instance);
    if (kind === undefined) continue;
    const copies = byId.get(instance.deploymentId);
    if (copies === undefined && isOfJob(draft, instance)) {
      wants.push(jobWant(draft, instance, kind));
      continue;
    }
    // Said once everything is placed, so that it reads the same the next time.
    const waitsFor = copies === undefined ? undefined : (): string => heldBy(draft, settings, copies);
    if (copies === undefined || waitsFor === undefined || kind.kind !== "new") {
      wants.push({ instance, waitsFor, ...kind });
      continue;
    }
    const isHeld = placing.has(instance.deploymentId) || someCopy(draft, settings, copies) !== undefined;
    placing.add(instance.deploymentId);
    wants.push({ instance, waitsFor, ...(isHeld ? { kind: "held", because: waitsFor } : kind) });
  }
  return wants;
}

/**
 * A run of a job never stands beside another run of it: what moves ends where it is first, and the
 * next one begins once it has ended.
 */
function jobWant(draft: Draft, instance: Instance, kind: Kind): Want {
  const live = locationsOf(draft, instance.id).find(isLive);
  const where = live === undefined ? "" : (draft.nodes.get(live.nodeId)?.hostname ?? live.nodeId);
  const waitsFor = (): string => `a job runs once at a time, and its run on ${where} has not ended yet`;
  if (kind.kind === "new" && live !== undefined) return { instance, waitsFor, kind: "held", because: waitsFor };
  return { instance, waitsFor, ...kind };
}

function isOfJob(draft: Draft, instance: Instance): boolean {
  const spec = releaseOf(draft, instance)?.spec;
  return spec !== undefined && isJob(spec);
}

/** When a location that is short of running is given up on its node, though the node is fine. */
export function startDeadline(location: Location, settings: Settings): number | undefined {
  if (location.desired !== "run" || !isShortOfRunning(location)) return undefined;
  return Math.max(location.desiredAt, location.changedAt) + settings.startDeadlineMs;
}

function wantOf(draft: Draft, settings: Settings, instance: Instance): Kind | undefined {
  const current = currentOf(instance, locationsOf(draft, instance.id));
  const isUnseen = unseenUntil(draft, instance.id) !== undefined;
  const isDeferred = isUnseen || (instance.retryAt !== undefined && instance.retryAt > draft.now);
  if (current === undefined) {
    if (waitsForOthers(instance) && waitOf(draft, instance) !== undefined) return { kind: "waits" };
    return isDeferred ? undefined : { kind: "new" };
  }
  if (!isLive(current)) {
    // A failed one is followed by the next when it was told to go; a lost one at once.
    const due = current.state === "lost" || current.desired === "stop";
    return due && !isDeferred ? { kind: "new" } : undefined;
  }
  if (current.desired !== "run") return { kind: "new" };
  const node = draft.nodes.get(current.nodeId);
  const isAway = node === undefined || node.liveness === "down";
  const volume = isAway ? boundBy(draft, instance, current.nodeId) : undefined;
  if (volume !== undefined) return { kind: "held", because: () => awaitsNode(draft, instance, node, volume) };
  if (node?.availability === "drain") return { kind: "move", from: node };
  // No other node has its slot.
  if (isTied(draft, instance)) return undefined;
  const deadline = startDeadline(current, settings);
  if (deadline !== undefined && deadline <= draft.now) return { kind: "elsewhere", exclude: current.nodeId };
  return undefined;
}

/**
 * What a copy waits for whose node is away with its data. The time stays the one of the first time
 * it was said.
 */
function awaitsNode(draft: Draft, instance: Instance, node: Node | undefined, volume: Volume): string {
  const called = node?.hostname ?? volume.nodeId;
  const is = node === undefined ? "has left the Swarm" : "is down";
  const start = `it waits for ${called}, which has its volume data and ${is} since `;
  const said = instance.refusal?.advice ?? "";
  if (said.startsWith(start)) return said;
  const since = new Date(draft.now).toISOString();
  return (
    `${start}${since}; if that node or its data is lost for ever, ` +
    `skep volume rm ${mountKey(volume)} --node ${called} --force lets it start empty elsewhere`
  );
}

function heldBy(draft: Draft, settings: Settings, copies: readonly Instance[]): string {
  const found = someCopy(draft, settings, copies);
  if (found === undefined) return "only one copy may run, and another one waits for a node";
  const { instanceId, epoch, nodeId } = found.copy;
  if (nodeId === undefined)
    return `only one copy may run, and ${instanceId} at epoch ${epoch} may: its record is missing, and the agents are asked for it`;
  const where = draft.nodes.get(nodeId)?.hostname ?? nodeId;
  const what = `only one copy may run, and ${instanceId} at epoch ${epoch} on ${where}`;
  if (found.until === Infinity) return `${what} has not ended yet`;
  return `${what} may run until its lease has surely ended, at ${new Date(found.until).toISOString()}`;
}

function byDeployment(draft: Draft, singles: ReadonlySet<DeploymentId>): Map<DeploymentId, Instance[]> {
  const copies = [...draft.instances.values()].filter(instance => singles.has(instance.deploymentId));
  return Map.groupBy(copies, instance => instance.deploymentId);
}
