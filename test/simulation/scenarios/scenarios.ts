import { EDGES } from "./edges.ts";
import { HOSTS } from "./hosts.ts";
import { LEADERS } from "./leaders.ts";
import { NODES } from "./nodes.ts";
import { RECORDS } from "./records.ts";
import type { Scenario } from "./scenario.ts";

/** Every scenario that there is. */
export const SCENARIOS: readonly Scenario[] = [...RECORDS, ...LEADERS, ...NODES, ...EDGES, ...HOSTS];

/** The scenario of this name; throws with the names that there are. */
export function scenarioNamed(name: string): Scenario {
  const found = SCENARIOS.find(one => one.name === name);
  const names = SCENARIOS.map(one => one.name).join(", ");
  if (found === undefined) throw new Error(`There is no scenario "${name}". Known: ${names}.`);
  return found;
}
