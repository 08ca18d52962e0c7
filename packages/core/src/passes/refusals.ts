import { record } from "../world/change.ts";
import type { Draft } from "../world/draft.ts";
import type { Instance, Refusal } from "../model/instance.ts";
import { isSameRefusal } from "../placement/refusal.ts";

/** Records why an instance has no node, or has to wait, where that is news. */
export function recordRefusal(draft: Draft, { id }: Instance, refusal: Refusal): void {
  if (!isSameRefusal(draft.instances.get(id)?.refusal, refusal))
    record(draft, { kind: "refuse", instanceId: id, refusal });
}
