import { stayingOn, type Fleet } from "./fleet.ts";
import type { Ask, Filter } from "./ask.ts";
import { SCORES } from "./score.ts";
import type { Score } from "./score.ts";

/**
 * The nodes that fit one group of equal asks, as a heap with the best node on top. Within a group
 * only the node on top ever changes (it gets the instance), and a node that stopped fitting never
 * fits again, so each step is one sift down and the result is exactly that of filtering and sorting
 * anew each time.
 */
export interface Ranking {
  readonly fleet: Fleet;
  readonly score: Score;
  readonly heap: Int32Array;
  size: number;
  /** Scores by node index. */
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * Ranks the nodes that pass all filters. Those that look at node and spec alone are asked once per
 * fleet, the others for each group. The ranking is good until the next one of the fleet is opened.
 */
export function openRanking(fleet: Fleet, ask: Ask, filters: readonly Filter[]): Ranking {
  const score = SCORES[ask.need.strategy];
  const { heap, first, second } = fleet.room;
  const ranking: Ranking = { fleet, score, heap, size: 0, first, second };
  const changing = filters.filter(filter => !filter.fixed);
  const candidates = candidatesOf(fleet, ask, filters);
  for (let at = 0; at < candidates.length; at++) {
    const index = candidates[at]!;
    if (!passesAll(changing, fleet, index, ask)) continue;
    first[index] = score.first(fleet, index, ask.need);
    second[index] = score.second(fleet, index, ask.need);
    heap[ranking.size++] = index;
  }
  for (let at = (ranking.size >> 1) - 1; at >= 0; at--) siftDown(ranking, at);
  return ranking;
}

function candidatesOf(fleet: Fleet, ask: Ask, filters: readonly Filter[]): Int32Array {
  const fixed = filters.filter(filter => filter.fixed);
  const key = fixed.map(filter => filter.name).join("\n");
  let candidates = fleet.candidates.get(key);
  if (candidates === undefined) {
    const all = Int32Array.from(fleet.nodes.keys());
    candidates = all.filter(index => passesAll(fixed, fleet, index, ask));
    fleet.candidates.set(key, candidates);
  }
  return candidates;
}

/**
 * The best node for one request of the group, on top of the ranking; nodes that stopped fitting are
 * dropped on the way. `passed` are better ones that have a copy already: they go back by `putBack`
 * once the request is placed. `undefined` where none fits.
 */
export function takeBest(
  ranking: Ranking,
  ask: Ask,
  changing: readonly Filter[],
): { readonly index: number; readonly passed: readonly number[] } | undefined {
  const { fleet, heap, score } = ranking;
  const passed: number[] = [];
  while (ranking.size > 0) {
    const index = heap[0]!;
    // None that is to be avoided is better for having no copy.
    if (passed.length > 0 && fleet.avoided[index] !== fleet.avoided[passed[0]!]) break;
    if (!passesAll(changing, fleet, index, ask)) dropBest(ranking);
    else if (!hasCopy(score, fleet, index, ask)) return { index, passed };
    else {
      passed.push(index);
      dropBest(ranking);
    }
  }
  putBack(ranking, passed);
  return passed.length === 0 ? undefined : { index: passed[0]!, passed: [] };
}

/** Puts nodes back that were passed over. */
export function putBack(ranking: Ranking, passed: readonly number[]): void {
  const { heap } = ranking;
  for (const index of passed) {
    let at = ranking.size++;
    heap[at] = index;
    for (let above = (at - 1) >> 1; at > 0 && isBefore(ranking, index, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      heap[above] = index;
      at = above;
    }
  }
}

function hasCopy({ isApart }: Score, fleet: Fleet, index: number, { need }: Ask): boolean {
  return isApart && stayingOn(fleet, need.deploymentId, index) > 0;
}

/** All nodes of the ranking as they would be taken for one request, the best first. */
export function inRank(ranking: Ranking, ask: Ask): readonly number[] {
  const { fleet, score } = ranking;
  const rank = (index: number): number => 2 * fleet.avoided[index]! + Number(hasCopy(score, fleet, index, ask));
  return [...ranking.heap.subarray(0, ranking.size)].sort(
    (a, b) => rank(a) - rank(b) || (isBefore(ranking, a, b) ? -1 : 1),
  );
}

/** Ranks the node on top anew after something was placed on it. */
export function rerankBest(ranking: Ranking, ask: Ask): void {
  const index = ranking.heap[0]!;
  ranking.first[index] = ranking.score.first(ranking.fleet, index, ask.need);
  ranking.second[index] = ranking.score.second(ranking.fleet, index, ask.need);
  siftDown(ranking, 0);
}

function dropBest(ranking: Ranking): void {
  ranking.size -= 1;
  ranking.heap[0] = ranking.heap[ranking.size]!;
  siftDown(ranking, 0);
}

/** Whether a node passes all of the filters. */
export function passesAll(filters: readonly Filter[], fleet: Fleet, index: number, ask: Ask): boolean {
  for (let at = 0; at < filters.length; at++) if (!filters[at]!.passes(fleet, index, ask)) return false;
  return true;
}

function siftDown(ranking: Ranking, from: number): void {
  const { heap, size } = ranking;
  let at = from;
  for (;;) {
    let least = at;
    const left = 2 * at + 1;
    if (left < size && isBefore(ranking, heap[left]!, heap[least]!)) least = left;
    if (left + 1 < size && isBefore(ranking, heap[left + 1]!, heap[least]!)) least = left + 1;
    if (least === at) return;
    const moved = heap[at]!;
    heap[at] = heap[least]!;
    heap[least] = moved;
    at = least;
  }
}

/**
 * Whether a node is better than another. A node that is avoided comes after all that are not,
 * whatever the scores. Indexes stand in the order of node ids, so the last tie is broken by id.
 */
function isBefore({ fleet, first, second }: Ranking, a: number, b: number): boolean {
  const { avoided } = fleet;
  if (avoided[a] !== avoided[b]) return avoided[a]! < avoided[b]!;
  if (first[a] !== first[b]) return first[a]! < first[b]!;
  if (second[a] !== second[b]) return second[a]! < second[b]!;
  return a < b;
}
