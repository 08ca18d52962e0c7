import { deploymentIdOf, instanceIdOf } from "../model/instance-id.ts";
import { DEFAULT_SETTINGS, type PlacementSettings, type World } from "../world/world.ts";
import type { DeploymentSpec } from "../model/deployment.ts";
import type { Instance, Refusal } from "../model/instance.ts";
import type { Node, NodeId } from "../model/node.ts";
import type { TenantId } from "../model/tenant.ts";
import { isGlobal } from "../model/mode.ts";
import { nodeSlots } from "./node-slots.ts";
import { openDraft } from "../world/draft.ts";
import { fleetOf, needsOf } from "./fleet-of-world.ts";
import { filtersOf } from "./filter.ts";
import type { Ask } from "./ask.ts";
import { declareAvoidance } from "./fleet.ts";
import type { Fleet } from "./fleet.ts";
import { needOf } from "./need.ts";
import { placeBatch } from "./place.ts";
import type { Placed, PlacementRequest } from "./place.ts";
import { inRank, openRanking, passesAll } from "./ranking.ts";
import { refusalOf } from "./refusal.ts";
import { SCORES } from "./score.ts";
import { counted, ONLY_CONTROL_PLANE } from "./words.ts";

/** The verdict of placement on one node. */
export interface NodeVerdict {
  readonly nodeId: NodeId;
  readonly hostname: string;
  readonly eligible: boolean;
  /** The first filter that refuses the node; `undefined` where it is eligible. */
  readonly filter: string | undefined;
  /**
   * Place among the eligible nodes, 1 for the one that would be taken; `undefined` where it is not
   * eligible.
   */
  readonly rank: number | undefined;
  /** Lower is better; `undefined` where it is not eligible. */
  readonly score: number | undefined;
  readonly because: string;
}

/** Every node's verdict, the node that would be taken now, and the refusal where there is none. */
export interface Explanation {
  readonly nodes: readonly NodeVerdict[];
  readonly chosen: NodeId | undefined;
  readonly refusal: Refusal | undefined;
}

/** A spec that is not deployed yet, or is about to change. */
export interface Proposal {
  readonly tenantId: TenantId;
  readonly spec: DeploymentSpec;
}

/**
 * Explains where the instance, or one more instance of a proposed spec, would be placed now, node
 * by node.
 */
export function explainPlacement(
  world: World,
  subject: Instance | Proposal,
  now: number,
  settings: PlacementSettings = DEFAULT_SETTINGS,
): Explanation {
  const { memoryOvercommit } = settings;
  const fleet = fleetOf(world, now, settings);
  const ask = "spec" in subject ? proposed(subject, 0, memoryOvercommit) : recorded(world, subject, memoryOvercommit);
  if (ask === undefined)
    return {
      nodes: [],
      chosen: undefined,
      refusal: { removed: [], advice: "the release of the instance is not recorded" },
    };
  declareAvoidance(fleet, ask.need);
  const filters = filtersOf(ask, fleet);
  const ranks = rankAll(fleet, ask);
  const nodes = fleet.nodes.map((node, index) => verdictOf(fleet, ask, filters, node, index, ranks.get(index)));
  const chosen = nodes.find(verdict => verdict.rank === 1)?.nodeId;
  return { nodes, chosen, refusal: chosen === undefined ? refusalOf(fleet, ask) : undefined };
}

/**
 * Where all replicas of a proposed spec would go, as if it were deployed now and nothing of it ran
 * yet.
 */
export function previewPlacement(
  world: World,
  proposal: Proposal,
  now: number,
  settings: PlacementSettings = DEFAULT_SETTINGS,
): {
  readonly placed: readonly (Placed & { readonly slot: number })[];
  readonly refused: readonly { readonly slot: number; readonly refusal: Refusal }[];
} {
  const { tenantId, spec } = proposal;
  const slots = isGlobal(spec)
    ? [...nodeSlots(openDraft(world, now), settings, { number: 1, spec }, []).wanted]
    : [...Array(spec.replicas).keys()];
  const requests: PlacementRequest[] = slots.map((slot, at) => ({
    ...proposed(proposal, slot, settings.memoryOvercommit),
    instanceId: instanceIdOf(deploymentIdOf(tenantId, spec.name), at),
  }));
  const result = placeBatch(fleetOf(world, now, settings), requests);
  const slotById = new Map(requests.map(({ instanceId, slot }) => [instanceId, slot]));
  const slotOf = ({ instanceId }: { readonly instanceId: string }): number => slotById.get(instanceId) ?? 0;
  return {
    placed: result.placed.map(one => ({ ...one, slot: slotOf(one) })),
    refused: result.refused.map(one => ({ slot: slotOf(one), refusal: one.refusal })),
  };
}

function proposed({ tenantId, spec }: Proposal, slot: number, memoryOvercommit: number): Ask {
  return {
    need: needOf(tenantId, deploymentIdOf(tenantId, spec.name), spec, memoryOvercommit),
    slot,
    exclude: undefined,
  };
}

function recorded(world: World, instance: Instance, memoryOvercommit: number): Ask | undefined {
  const need = needsOf(world, memoryOvercommit)(instance.deploymentId, instance.release);
  return need === undefined ? undefined : { need, slot: instance.slot, exclude: undefined };
}

/** Rank of each eligible node by index, from 1. */
function rankAll(fleet: Fleet, ask: Ask): ReadonlyMap<number, number> {
  const ranking = openRanking(fleet, ask, filtersOf(ask, fleet));
  return new Map(inRank(ranking, ask).map((index, at) => [index, at + 1]));
}

function verdictOf(
  fleet: Fleet,
  ask: Ask,
  filters: ReturnType<typeof filtersOf>,
  node: Node,
  index: number,
  rank: number | undefined,
): NodeVerdict {
  const at = { nodeId: node.id, hostname: node.hostname };
  if (!passesAll(filters, fleet, index, ask)) {
    const filter = filters.find(one => !one.passes(fleet, index, ask))!;
    const because = `it ${filter.sentence(1, ask, fleet)}`;
    return { ...at, eligible: false, filter: filter.name, rank: undefined, score: undefined, because };
  }
  const score = SCORES[ask.need.strategy];
  const because = `${score.sentence(fleet, index, ask.need)}, runs ${counted(fleet.count[index]!, "instance")}${avoidance(fleet, index, rank)}`;
  return { ...at, eligible: true, filter: undefined, rank, score: score.first(fleet, index, ask.need), because };
}

function avoidance(fleet: Fleet, index: number, rank: number | undefined): string {
  if (fleet.avoided[index] === 0) return "";
  return rank === 1
    ? `; ${ONLY_CONTROL_PLANE}`
    : "; avoided as a node of the control plane while another can take this";
}
