import type { Location } from "@skep/core/model/instance.ts";
import type { Plan } from "@skep/core/world/plan.ts";
import type { World } from "@skep/core/world/world.ts";

/**
 * A plan was committed: what it ends, gives up or forgets was as its leader had seen it. `before`
 * are the records of the moment before. What is counted as too much was counted on what users want
 * now.
 */
export function brokenBasisRule(before: World, { basis }: Plan): string | undefined {
  const rows = new Map(before.locations.map(one => [keyOf(one), one]));
  for (const seen of basis.locations) {
    const row = rows.get(keyOf(seen));
    if (row?.state === seen.state && row.desired === seen.desired) continue;
    const is = row === undefined ? "gone" : `${row.state}, to ${row.desired}`;
    return `a plan for ${keyOf(seen)} was committed that knew it as ${seen.state}, to ${seen.desired}, and it was ${is}`;
  }
  const versions = new Map(before.deployments.map(one => [one.id, one.resourceVersion]));
  const moved = basis.deployments.find(one => versions.get(one.deploymentId) !== one.resourceVersion);
  if (moved === undefined) return undefined;
  return `a plan for ${moved.deploymentId} was committed, and its user had changed it meanwhile`;
}

/** A row was written back: of its instance's latest copy, since any older one is replaced. */
export function brokenRestoreRule(before: World, restored: Location): string | undefined {
  const epoch = before.instances.find(one => one.id === restored.instanceId)?.epoch;
  if (epoch === restored.epoch) return undefined;
  return `${keyOf(restored)} is written back, and the latest copy is ${epoch ?? "that of no instance"}`;
}

const keyOf = (of: Pick<Location, "instanceId" | "epoch">): string => `${of.instanceId}@${of.epoch}`;
