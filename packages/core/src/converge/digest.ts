import type { ContainerStatus, Health, InstanceId, InstanceState } from "../model/instance.ts";
import { isFinal } from "../model/state.ts";

/** What a digest says of a location. */
export interface Digested {
  readonly instanceId: InstanceId;
  readonly epoch: number;
  readonly state: InstanceState;
  readonly health: Health;
  readonly containers: readonly Pick<ContainerStatus, "id">[];
}

/**
 * The text of one location that agent and Postgres hash alike for the minute reconcile:
 * `<instance>/<epoch>/<state>/<health>/<container ids, sorted, joined by commas>`. In SQL, with the
 * ids in `ids`: `instance_id || '/' || epoch || '/' || state || '/' || health || '/' ||
 * array_to_string(ids, ',')`. A digest of many is the xor of the first 64 bits of the md5 of each.
 */
export function digestText(status: Digested): string {
  const ids = status.containers.map(container => container.id).sort();
  return `${status.instanceId}/${status.epoch}/${status.state}/${status.health}/${ids.join(",")}`;
}

/** Whether a location takes part in digests: those in a final state do not. */
export function isDigested(status: { readonly state: InstanceState }): boolean {
  return !isFinal(status.state);
}
