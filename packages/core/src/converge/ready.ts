import type { AssignedInstance } from "../model/assignment.ts";
import { canonicalImage } from "../model/image.ts";
import type { TenantId } from "../model/tenant.ts";
import { attempt, withheldKey } from "./round.ts";
import type { Round } from "./round.ts";
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
