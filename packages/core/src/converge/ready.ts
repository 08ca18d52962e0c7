import type { AssignedInstance } from "../model/assignment.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import { canonicalImage } from "../model/image.ts";
import type { TenantId } from "../model/tenant.ts";
import { attempt, groupKey, withheldKey } from "./round.ts";
import type { ConvergeInput, Round } from "./round.ts";
import { stepKey } from "./step.ts";

/**
 * Sees to it that the image and, where one is needed, the tenant's network are there before a
 * container is made. Answers what it waits for, or `undefined` when all is there.
 */
export function makeReady(
  round: Round,
  { tenantId }: AssignedInstance,
  image: string,
  needsNetwork: boolean,
): string | undefined {
  const isHere = round.images.has(canonicalImage(image));
  const hasImage = isHere && !round.withheld.has(withheldKey(tenantId, image));
  let waits = needsNetwork ? makeNetwork(round, tenantId) : undefined;
  if (!hasImage) {
    const { problem } = attempt(round, { kind: "pull-image", key: stepKey.pull(tenantId, image), image, tenantId });
    const asks = isHere ? `the registry is asked whether ${tenantId} may use ${image}` : `the image ${image} is pulled`;
    waits = problem === undefined ? asks : `the image ${image} cannot be pulled: ${problem}`;
  }
  return waits;
}

/** Whether the instance's containers join the network of a sandbox. */
export function hasSandbox({ input }: Round, { containers }: DeploymentSpec): boolean {
  return isByNetd(input) || containers.length > 1;
}

/** Whether netd connects this node's containers. */
export function isByNetd({ policy }: ConvergeInput): boolean {
  return policy.network === "netd";
}

/** What is wrong with the instance's place in its tenant's network, in netd's words. */
export function networkFault({ input }: Round, { instanceId, epoch }: AssignedInstance): string | undefined {
  const fault = isByNetd(input) ? input.attachments?.[groupKey(instanceId, epoch)]?.fault : undefined;
  return fault === undefined ? undefined : `its network: ${fault}`;
}

/**
 * What a container has to wait for right before its start: netd, or the engine's network where it
 * has one of its own. Programs that start without a network do not all look for one later.
 */
export function networkBeforeStart(round: Round, instance: AssignedInstance): string | undefined {
  if (!isByNetd(round.input))
    return hasSandbox(round, instance.spec) ? undefined : makeNetwork(round, instance.tenantId);
  const key = groupKey(instance.instanceId, instance.epoch);
  const netns = round.groups.get(key)?.find(one => one.role === "sandbox" && one.state === "running")?.netns;
  const isAttached = netns !== undefined && round.input.attachments?.[key]?.netns === netns;
  return isAttached ? undefined : "netd connects it to its tenant's network";
}

/**
 * Sees to it that the tenant's network is there, before a container is made and before it is
 * started: one that was idle goes while a container is made for it, and none starts without it.
 * Answers what it waits for, or `undefined` where it is there.
 */
export function makeNetwork(round: Round, tenantId: TenantId): string | undefined {
  if (round.networks.has(tenantId)) return undefined;
  const { problem } = attempt(round, { kind: "create-network", key: stepKey.createNetwork(tenantId), tenantId });
  return problem === undefined ? "its tenant's network is made" : `its tenant's network cannot be made: ${problem}`;
}
