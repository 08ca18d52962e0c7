import { locationsOf, releaseOf, type Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import { parseConstraint, satisfies } from "../model/constraint.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import type { Instance } from "../model/instance.ts";
import { isGlobal } from "../model/mode.ts";
import { isControlPlane, type Node } from "../model/node.ts";
import { slotOfNode } from "../model/node-slot.ts";
import { currentOf, isCompleted, isLive } from "../model/state.ts";

/**
 * The slots that a global deployment is to fill, in the order of the nodes: one for each node that
 * its constraints let in and that takes work. A node that is silent or paused keeps what it has and
 * gets nothing new; one that is drained or down loses it. What a job has completed stays completed.
 */
export function nodeSlots(
  draft: Draft,
  settings: Pick<Settings, "tenantsOnManagers">,
  spec: DeploymentSpec,
  instances: readonly Instance[],
): ReadonlySet<number> {
  const held = new Map(instances.filter(one => one.desired === "run").map(one => [one.slot, one]));
  const slots = new Set<number>();
  for (const node of draft.nodes.values()) {
    const slot = slotOfNode(node.id);
    if (fits(node, settings, spec) && isWanted(draft, node, held.get(slot))) slots.add(slot);
  }
  return slots;
}

/** Whether a spec may ever run on a node, whatever the node does at the moment. */
function fits(node: Node, { tenantsOnManagers }: Pick<Settings, "tenantsOnManagers">, spec: DeploymentSpec): boolean {
  if (tenantsOnManagers === "never" && isControlPlane(node)) return false;
  return spec.placement.constraints.every(text => {
    const parsed = parseConstraint(text, "");
    return parsed.ok && satisfies(parsed.constraint, node);
  });
}

function isWanted(draft: Draft, { availability, liveness }: Node, own: Instance | undefined): boolean {
  const current = own === undefined ? undefined : currentOf(own, locationsOf(draft, own.id));
  if (current !== undefined && isCompleted(current)) return true;
  if (availability === "drain") return false;
  if (availability === "active" && liveness === "ready") return true;
  return current !== undefined && isLive(current);
}

/** Whether the instance is tied to the node of its slot. */
export function isTied(draft: Draft, instance: Instance): boolean {
  const spec = releaseOf(draft, instance)?.spec;
  return spec !== undefined && isGlobal(spec);
}
