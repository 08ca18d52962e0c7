import { SkepError } from "@skep/core/error.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import type { Store } from "../store/store.ts";

/** The most deployments that are followed from one. */
const MOST_FOLLOWED = 1_000;

/**
 * Deployments that wait for each other would never begin. Two changes at one time may still make
 * such a round: then both say what they wait for.
 * @throws SkepError `failed_precondition` `DEPENDENCY_CYCLE`.
 */
export async function refuseCycle(
  store: Pick<Store, "getDeployment">,
  tenantId: string,
  { name, dependsOn }: Pick<DeploymentSpec, "name" | "dependsOn">,
): Promise<void> {
  const ways: (readonly string[])[] = dependsOn.map(one => [name, one.name]);
  const followed = new Set<string>();
  for (const way of ways) {
    const last = way.at(-1)!;
    if (last === name) throw refusal(way);
    if (followed.has(last) || followed.size >= MOST_FOLLOWED) continue;
    followed.add(last);
    const known = await store.getDeployment(deploymentIdOf(tenantId, last));
    for (const next of known?.release.spec.dependsOn ?? []) ways.push([...way, next.name]);
  }
}

function refusal(way: readonly string[]): SkepError {
  const round = way.join(" → ");
  return new SkepError(
    "failed_precondition",
    "DEPENDENCY_CYCLE",
    `These deployments would wait for each other: ${round}. Let one of them begin without the next.`,
    { issues: [{ path: "spec.dependsOn", problem: `it waits for itself: ${round}`, advice: "remove an entry" }] },
  );
}
