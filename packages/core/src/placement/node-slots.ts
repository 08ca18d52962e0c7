import { locationsOf, releaseOf, type Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import { parseConstraint, satisfies } from "../model/constraint.ts";
import type { DeploymentSpec, Release } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import { isGlobal } from "../model/mode.ts";
import { isControlPlane, type Node } from "../model/node.ts";
import { slotOfNode } from "../model/node-slot.ts";
import { currentOf, isCompleted, isLive } from "../model/state.ts";

/** The slots of a global deployment: each is a node's. */
export interface NodeSlots {
  /** Those that are to be filled, in the order of the nodes. */
  readonly wanted: ReadonlySet<number>;
  /** Those whose node takes work: only there does a new release replace what there is. */
  readonly open: ReadonlySet<number>;
}

/**
 * One slot for each node that the constraints let in and that takes work. A node that is silent or
 * paused keeps what it has and gets nothing new; one that is drained or down loses it. What a job
 * has completed stays completed.
 */
export function nodeSlots(
  draft: Draft,
  settings: Pick<Settings, "tenantsOnManagers">,
  { number, spec }: Pick<Release, "number" | "spec">,
  instances: readonly Instance[],
): NodeSlots {
  const held = new Map(instances.filter(one => one.desired === "run").map(one => [one.slot, one]));
  const [wanted, open] = [new Set<number>(), new Set<number>()];
  for (const node of draft.nodes.values()) {
    const slot = slotOfNode(node.id);
    if (!fits(node, settings, spec)) continue;
    const takesWork = node.availability === "active" && node.liveness === "ready";
    if (takesWork) open.add(slot);
    if (takesWork || isKept(draft, node, held.get(slot), number, spec)) wanted.add(slot);
  }
  return { wanted, open };
}

/** Whether a spec may ever run on a node, whatever the node does at the moment. */
function fits(node: Node, { tenantsOnManagers }: Pick<Settings, "tenantsOnManagers">, spec: DeploymentSpec): boolean {
  if (tenantsOnManagers === "never" && isControlPlane(node)) return false;
  return spec.placement.constraints.every(text => {
    const parsed = parseConstraint(text, "");
    return parsed.ok && satisfies(parsed.constraint, node);
  });
}

/** Whether a node that takes no work keeps its copy. */
function isKept(
  draft: Draft,
  { availability, liveness }: Node,
  own: Instance | undefined,
  release: number,
  { restart }: DeploymentSpec,
): boolean {
  if (own === undefined) return false;
  const current = currentOf(own, locationsOf(draft, own.id));
  // Where each end is followed by another run, that one would have no node.
  const isOver = current !== undefined && isCompleted(current) && restart.condition !== "any";
  if (isOver && own.release === release) return true;
  if (availability === "drain") return false;
  return liveness !== "down" || (current !== undefined && isLive(current));
}

/** Whether the instance is tied to the node of its slot. */
export function isTied(draft: Draft, instance: Instance): boolean {
  const spec = releaseOf(draft, instance)?.spec;
  return spec !== undefined && isGlobal(spec);
}
