import type { Refusal } from "../model/instance.ts";
import { filtersOf } from "./filter.ts";
import type { Ask, Filter } from "./ask.ts";
import type { Fleet } from "./fleet.ts";
import { counted } from "./words.ts";

/**
 * Why no node takes what is asked: per filter how many nodes it was the first to refuse, and what
 * would help most.
 */
export function refusalOf(fleet: Fleet, ask: Ask): Refusal {
  if (fleet.nodes.length === 0) {
    return { removed: [], advice: "no node runs an agent yet: deploy the stack, or join a node to the Swarm" };
  }
  const filters = filtersOf(ask, fleet);
  const first = new Map<Filter, number>();
  // How often a filter refused a node that few others refuse: dropping the filter that stands alone
  // frees the most.
  const alone = new Map<Filter, number>();
  let fewest = Infinity;
  for (let index = 0; index < fleet.nodes.length; index++) {
    const against = filters.filter(filter => !filter.passes(fleet, index, ask));
    if (against.length === 0) continue;
    first.set(against[0]!, (first.get(against[0]!) ?? 0) + 1);
    if (against.length > fewest) continue;
    if (against.length < fewest) alone.clear();
    fewest = against.length;
    for (const filter of against) alone.set(filter, (alone.get(filter) ?? 0) + 1);
  }
  const removed = filters
    .filter(filter => first.has(filter))
    .map(filter => {
      const nodes = first.get(filter)!;
      return {
        filter: filter.name,
        nodes,
        sentence: `${counted(nodes, "node")} ${filter.sentence(nodes, ask, fleet)}`,
      };
    });
  const best = filters.filter(filter => alone.has(filter)).sort((a, b) => alone.get(b)! - alone.get(a)!)[0];
  return { removed, advice: best === undefined ? "" : best.advice(ask, fleet) };
}

/** Whether two refusals say the same. */
export function isSameRefusal(a: Refusal | undefined, b: Refusal): boolean {
  return (
    a !== undefined &&
    a.advice === b.advice &&
    a.removed.length === b.removed.length &&
    a.removed.every((one, at) => {
      const other = b.removed[at]!;
      return one.filter === other.filter && one.nodes === other.nodes && one.sentence === other.sentence;
    })
  );
}
