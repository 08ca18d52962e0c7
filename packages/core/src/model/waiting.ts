import type { Refusal } from "./instance.ts";

/** What stands in a refusal in place of a filter where another deployment is waited for. */
export const DEPENDS_ON = "depends-on";

/** Whether it is another deployment that is waited for, and not a node. */
export function isWaiting(refusal: Refusal | undefined): boolean {
  return refusal?.removed.some(one => one.filter === DEPENDS_ON) === true;
}
