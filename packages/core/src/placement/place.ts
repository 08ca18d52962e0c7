import type { InstanceId, PortBinding, Refusal } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import { mountKey } from "../model/volume.ts";
import { filtersOf } from "./filter.ts";
import type { Ask } from "./ask.ts";
import { declareAvoidance, holdSlot, holdVolumes, isWithinQuota, occupy, togetherWith } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { bindPorts, emptyPortBook } from "./ports.ts";
import { openRanking, putBack, rerankBest, takeBest } from "./ranking.ts";
import type { Ranking } from "./ranking.ts";
import { roomForAll } from "./room-for-all.ts";
import { refusalOf } from "./refusal.ts";
import { SCORES } from "./score.ts";
import { ONLY_CONTROL_PLANE } from "./words.ts";

/** An instance that wants a node. */
export interface PlacementRequest extends Ask {
  readonly instanceId: InstanceId;
}

/** Where an instance goes. */
export interface Placed {
  readonly instanceId: InstanceId;
  readonly nodeId: NodeId;
  readonly ports: readonly PortBinding[];
  /** Running number of the placement. */
  readonly placement: number;
  readonly because: string;
}

/** What became of a batch; every request is in one of the two. */
export interface BatchResult {
  readonly placed: readonly Placed[];
  readonly refused: readonly { readonly instanceId: InstanceId; readonly refusal: Refusal }[];
}

/**
 * Places a batch on the fleet and counts it there. The order of the requests does not matter: they
 * are placed group by group of equal needs, the largest first because the small ones still fit into
 * the gaps, and within a group by deployment, slot and id. Refusals are worked out at the end,
 * against everything that was placed.
 */
export function placeBatch(fleet: Fleet, requests: readonly PlacementRequest[]): BatchResult {
  for (const { need } of requests) declareAvoidance(fleet, need);
  const placed: Placed[] = [];
  const left: PlacementRequest[] = [];
  for (const group of groupsOf(fleet, requests)) placeGroup(fleet, group, placed, left);
  return { placed, refused: refusalsOf(fleet, left) };
}

/**
 * Working a refusal out looks at every node: requests that are refused alike, as thousands may be
 * at once, share one.
 */
function refusalsOf(fleet: Fleet, left: readonly PlacementRequest[]): BatchResult["refused"] {
  const known = new Map<string, Refusal>();
  return left.map(request => {
    const { need, slot, instanceId } = request;
    const quota = isWithinQuota(fleet, need, slot) ? "" : `|quota of ${need.tenantId}`;
    const key = groupKey(fleet, request) + quota;
    const refusal = known.get(key) ?? refusalOf(fleet, request);
    known.set(key, refusal);
    return { instanceId, refusal };
  });
}

/** The requests in the order in which they are placed, in groups that one ranking serves. */
export function groupsOf(
  fleet: Fleet,
  requests: readonly PlacementRequest[],
): readonly (readonly PlacementRequest[])[] {
  const groups = new Map<string, PlacementRequest[]>();
  for (const request of requests) {
    const key = groupKey(fleet, request);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [request]);
    else group.push(request);
  }
  const ordered = [...groups.entries()]
    .sort(([keyA, [a]], [keyB, [b]]) => {
      const memory = b!.need.memoryBytes - a!.need.memoryBytes;
      if (memory !== 0) return memory;
      const cpu = b!.need.cpuMillis - a!.need.cpuMillis;
      if (cpu !== 0) return cpu;
      return keyA < keyB ? -1 : 1;
    })
    .map(([key, group]) => ({ key, group: group.sort(inOrder) }));
  // What has to be on one node comes in a row: nothing takes its room in between.
  const units = Map.groupBy(ordered, ({ key, group }) => togetherWith(fleet, group[0]!.need)?.id ?? key);
  return [...units.values()].flatMap(unit => makersFirst(unit.map(({ group }) => group)));
}

/**
 * What makes a volume is placed before what takes it as external, which would not find it. Where
 * they wait for each other the order stays.
 */
function makersFirst(groups: readonly PlacementRequest[][]): readonly PlacementRequest[][] {
  if (groups.length < 2) return groups;
  const left = [...groups];
  const done: PlacementRequest[][] = [];
  while (left.length > 0) {
    const made = left.map(group => new Set(group[0]!.need.volumes.filter(one => !one.isExternal).map(mountKey)));
    const takesNone = (group: PlacementRequest[], at: number): boolean =>
      group[0]!.need.volumes.every(
        one => !one.isExternal || made.every((by, other) => other === at || !by.has(mountKey(one))),
      );
    const next = Math.max(0, left.findIndex(takesNone));
    done.push(...left.splice(next, 1));
  }
  return done;
}

/** Equal for requests that every filter and score treats alike on this fleet. */
function groupKey(fleet: Fleet, { need, exclude, slot }: PlacementRequest): string {
  const own = need.isGlobal ? `${need.signature}|slot ${slot}` : need.signature;
  const key = exclude === undefined ? own : `${own}|not ${exclude}`;
  return fleet.avoidedBy.has(need.deploymentId) ? `${key}|for ${need.deploymentId}` : key;
}

function inOrder(a: PlacementRequest, b: PlacementRequest): number {
  if (a.need.deploymentId !== b.need.deploymentId) return a.need.deploymentId < b.need.deploymentId ? -1 : 1;
  if (a.slot !== b.slot) return a.slot - b.slot;
  return a.instanceId < b.instanceId ? -1 : 1;
}

function placeGroup(
  fleet: Fleet,
  group: readonly PlacementRequest[],
  placed: Placed[],
  left: PlacementRequest[],
): void {
  const some = group[0]!;
  // The quota looks at the slot, not at the node: it is asked once per request instead of once per
  // node.
  const own = filtersOf(some, fleet).filter(filter => filter.name !== "tenant-quota");
  const filters = [...own, ...roomForAll(fleet, some, own)];
  const changing = filters.filter(filter => !filter.fixed);
  const ranking = openRanking(fleet, some, filters);
  for (const request of group) {
    const isAllowed = isWithinQuota(fleet, request.need, request.slot);
    // A node that does not fit any more is dropped for good: within a group all ask for the same.
    const best = isAllowed ? takeBest(ranking, request, changing) : undefined;
    if (best === undefined) left.push(request);
    else {
      placed.push(settle(fleet, ranking, best, request));
      putBack(ranking, best.passed);
    }
  }
}

type Best = NonNullable<ReturnType<typeof takeBest>>;

function settle(fleet: Fleet, ranking: Ranking, { index, passed }: Best, request: PlacementRequest): Placed {
  const { need } = request;
  const node = fleet.nodes[index]!;
  const only = fleet.avoided[index] === 1 ? `; ${ONLY_CONTROL_PLANE}` : "";
  const apart = passed.length === 0 ? "" : "; on nodes with less load it has a copy already";
  const because = `${SCORES[need.strategy].sentence(fleet, index, need)}${apart}${only}`;
  occupy(fleet, index, need.deploymentId, need, true);
  holdSlot(fleet, need, request.slot);
  holdVolumes(fleet, need, node.id);
  fleet.placements += 1;
  fleet.lastPlaced[index] = fleet.placements;
  const ports =
    need.ports.length === 0
      ? []
      : bindPorts((fleet.ports[index] ??= emptyPortBook(node.capacity)), node.capacity, need, fleet.placements);
  rerankBest(ranking, request);
  return { instanceId: request.instanceId, nodeId: node.id, ports, placement: fleet.placements, because };
}
