import { filtersOf } from "./filter.ts";
import type { Ask, Filter } from "./ask.ts";
import { homesOf, nearOf, togetherWith } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import type { Need } from "./need.ts";
import { passesAll } from "./ranking.ts";

/**
 * For the first of what has to be on one node: a filter that lets through the nodes which take all
 * of it, where there are any. Each member has to pass its filters as the node is, and what they
 * reserve together has to fit. Ports that two of them want, and what they avoid of each other, are
 * not looked into: then the rest is refused, and says why.
 */
export function roomForAll(fleet: Fleet, ask: Ask, own: readonly Filter[]): readonly Filter[] {
  const { need } = ask;
  const members = membersOf(fleet, need);
  const sum = (of: (one: Need) => number): number => members.reduce((all, one) => all + one.replicas * of(one.need), 0);
  const count = sum(() => 1);
  if (count < 2 || homesOf(fleet, need).length > 0 || nearOf(fleet, need).length > 0) return [];
  const [cpu, memory] = [sum(one => one.cpuMillis), sum(one => one.memoryBytes)];
  const others = members.map(one => {
    const other: Ask = { need: one.need, slot: 0, exclude: undefined };
    return { other, filters: filtersOf(other, fleet).filter(filter => filter.name !== "tenant-quota") };
  });
  const takesAll = Uint8Array.from(fleet.nodes, (_, index) => {
    if (fleet.count[index]! + count > fleet.countCapacity[index]!) return 0;
    if (cpu > 0 && fleet.cpuUsed[index]! + cpu > fleet.cpuCapacity[index]!) return 0;
    if (memory > 0 && fleet.memoryUsed[index]! + memory > fleet.memoryCapacity[index]!) return 0;
    if (!passesAll(own, fleet, index, ask)) return 0;
    return others.every(({ other, filters }) => passesAll(filters, fleet, index, other)) ? 1 : 0;
  });
  if (!takesAll.includes(1)) return [];
  const passes = (_: Fleet, index: number): boolean => takesAll[index] === 1;
  return [{ name: "room-for-all", fixed: false, passes, sentence: () => "", advice: () => "" }];
}

/** What is to run beside each other, the asking deployment's own replicas among it. */
function membersOf(fleet: Fleet, need: Need): readonly { readonly need: Need; readonly replicas: number }[] {
  return (togetherWith(fleet, need)?.members ?? []).flatMap(({ release, replicas }) => {
    const one = replicas === 0 ? undefined : fleet.needOfRelease(release);
    return one === undefined ? [] : [{ need: one, replicas }];
  });
}
