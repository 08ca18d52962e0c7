import { SkepError } from "@skep/core/error.ts";
import type { Store } from "../store/store.ts";
import type { InstanceRecord } from "@skep/core/model/instance.ts";

/** One instance. @throws SkepError `not_found`. */
export async function findInstance(store: Store, instanceId: string): Promise<InstanceRecord> {
  const { items } = await store.listInstances({ instanceId }, { size: 1, token: undefined });
  const [found] = items;
  if (found !== undefined) return found;
  throw new SkepError(
    "not_found",
    "INSTANCE_NOT_FOUND",
    `There is no instance ${instanceId}. Instances are replaced by new ones with new ids: list them to see today's.`,
    { details: { instanceId } },
  );
}
