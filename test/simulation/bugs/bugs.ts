import { AGENT_BUGS } from "./agent.ts";
import type { Bug } from "./bug.ts";
import { CORE_BUGS } from "./core.ts";
import { HOST_BUGS } from "./hosts.ts";
import { MOVE_BUGS } from "./moves.ts";
import { ORDER_BUGS } from "./order.ts";
import { SCHEDULER_BUGS } from "./scheduler.ts";
import { STORE_BUGS } from "./store.ts";
import { VOLUME_BUGS } from "./volumes.ts";

/** Every bug that can be planted. */
export const BUGS: readonly Bug[] = [
  ...AGENT_BUGS,
  ...CORE_BUGS,
  ...SCHEDULER_BUGS,
  ...STORE_BUGS,
  ...VOLUME_BUGS,
  ...HOST_BUGS,
  ...MOVE_BUGS,
  ...ORDER_BUGS,
];

/** The bug of this name; throws with the names that there are. */
export function bugNamed(name: string): Bug {
  const bug = BUGS.find(one => one.name === name);
  if (bug === undefined) throw new Error(`There is no bug "${name}". Known: ${BUGS.map(one => one.name).join(", ")}.`);
  return bug;
}
