import { EDGES } from "./edges.ts";
import { HOSTS } from "./hosts.ts";
import { LEADERS } from "./leaders.ts";
import { MOVES, moveStorm } from "./moves.ts";
import { NODES } from "./nodes.ts";
import { RECORDS } from "./records.ts";
import type { Scenario } from "./scenario.ts";

/** Every scenario that there is. */
export const SCENARIOS: readonly Scenario[] = [...RECORDS, ...LEADERS, ...NODES, ...EDGES, ...HOSTS, ...MOVES];

/** The scenario of this name, or any storm of moves; throws with the names that there are. */
export function scenarioNamed(name: string): Scenario {
  const storm = /^move-storm-([1-9]\d{0,8})$/.exec(name)?.[1];
  const found = storm === undefined ? SCENARIOS.find(one => one.name === name) : moveStorm(Number(storm));
  const names = SCENARIOS.map(one => one.name).join(", ");
  if (found === undefined) throw new Error(`There is no scenario "${name}". Known: ${names}.`);
  return found;
}
