import { record } from "../world/change.ts";
import { locationsOf } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import type { Settings } from "../world/world.ts";
import type { Counts } from "../placement/fleet.ts";
import { fleetOfDraft, needsOfDraft } from "../placement/fleet-of-world.ts";
import { placeBatch } from "../placement/place.ts";
import type { BatchResult, PlacementRequest } from "../placement/place.ts";
import type { Instance, InstanceId, Refusal } from "../model/instance.ts";
import { currentOf, isServing } from "../model/state.ts";
import { updateWaitOf } from "./dependencies.ts";
import { isPlaced } from "./ending.ts";
import { recordRefusal } from "./refusals.ts";
import { isBound } from "./volumes.ts";
import type { Want } from "./wants.ts";

/**
 * Places what wants a node, and records why the rest could not be placed where that is news. A copy
 * that has to leave its node first only asks whether another would take it, after all others and
 * after those that have left already. `standing` is what the deployments take that rest.
 */
export function placeWanted(draft: Draft, settings: Settings, wants: readonly Want[], standing?: Counts): void {
  if (wants.length === 0) return;
  const needs = needsOfDraft(draft, settings.memoryOvercommit);
  const asked = wants.filter(want => want.kind !== "waits" && isAsked(draft, want, needs));
  const { now = [], leaving = [], held = [] } = Object.groupBy(asked, turnOf);
  const fleet = fleetOfDraft(draft, settings, standing);
  const ask = (list: readonly Want[]): BatchResult =>
    placeBatch(
      fleet,
      list.map(want => requestOf(want, needs)),
    );
  const byId = new Map<InstanceId, Want>(asked.map(want => [want.instance.id, want]));
  const first = ask(now);
  if (leaving.length > 0) ask(held);
  const second = ask(leaving);
  for (const one of first.placed) {
    const want = byId.get(one.instanceId)!;
    const because = `${reasonOf(want)}${one.because}`;
    record(draft, { kind: "place", ...one, epoch: want.instance.epoch + 1, because });
  }
  for (const { instanceId, because } of second.placed) {
    const want = byId.get(instanceId)!;
    leaveFirst(draft, want.instance, `${reasonOf(want)}${because}`);
  }
  for (const { instanceId, refusal } of [...first.refused, ...second.refused])
    refuse(draft, byId.get(instanceId)!, refusal);
  const left = second.placed.map(({ instanceId }) => byId.get(instanceId)!);
  for (const want of [...held, ...left]) {
    const because = want.kind === "held" ? want.because : want.waitsFor;
    if (because !== undefined) recordRefusal(draft, want.instance, { removed: [], advice: because() });
  }
}

type Needs = ReturnType<typeof needsOfDraft>;

/** Whether there is a release to place; says so where there is none. */
function isAsked(draft: Draft, want: Want, needs: Needs): boolean {
  const { deploymentId, release } = want.instance;
  if (needs(deploymentId, release) !== undefined) return true;
  refuse(draft, want, { removed: [], advice: `release ${release} is not recorded: deploy it again` });
  return false;
}

function turnOf(want: Want): "now" | "leaving" | "held" {
  if (want.kind === "held") return "held";
  return want.waitsFor === undefined || want.kind === "new" ? "now" : "leaving";
}

function requestOf(want: Want, needs: Needs): PlacementRequest {
  const { id, deploymentId, release, slot } = want.instance;
  const exclude = want.kind === "elsewhere" ? want.exclude : undefined;
  return { instanceId: id, need: needs(deploymentId, release)!, slot, exclude };
}

/** The only copy that may run ends where it is before it is placed on the node that was found. */
function leaveFirst(draft: Draft, instance: Instance, because: string): void {
  const current = currentOf(instance, locationsOf(draft, instance.id))!;
  const kind = isServing(current, draft.nodes.get(current.nodeId)) ? "retire" : "stop";
  const of = { instanceId: instance.id, epoch: current.epoch };
  record(draft, { kind, ...of, because: `${because}; it ends here first, since only one copy may run` });
}

/**
 * Takes back what was said of instances that wanted another node, or theirs back, and want none any
 * more; and says of those whose replacement waits for another deployment what it waits for.
 */
export function withdrawRefusals(draft: Draft, wants: readonly Want[]): void {
  const isPending = ({ instance: { id, epoch } }: Want): boolean => draft.instances.get(id)?.epoch === epoch;
  const wanting = new Set(wants.filter(isPending).map(want => want.instance.id));
  for (const instance of draft.instances.values()) {
    if (wanting.has(instance.id) || !isPlaced(draft, instance)) continue;
    const wait = keptBackBy(draft, instance);
    if (wait !== undefined) recordRefusal(draft, instance, wait);
    else if (instance.refusal !== undefined)
      record(draft, { kind: "refuse", instanceId: instance.id, refusal: undefined });
  }
}

/** What the release that is to replace the instance waits for. */
function keptBackBy(draft: Draft, { deploymentId, release, desired }: Instance): Refusal | undefined {
  const deployment = draft.deployments.get(deploymentId);
  if (deployment === undefined || deployment.release === release || desired !== "run") return undefined;
  return deployment.desired === "run" ? updateWaitOf(draft, deployment) : undefined;
}

function refuse(draft: Draft, want: Want, refusal: Refusal): void {
  // It has a node and may still get running there: that no other node fits is not a refusal.
  if (want.kind === "elsewhere") return;
  const full = want.kind === "move" ? { ...refusal, advice: staysOn(draft, want, refusal) } : refusal;
  recordRefusal(draft, want.instance, full);
}

function staysOn(draft: Draft, { instance, from }: Want & { kind: "move" }, { advice }: Refusal): string {
  const stays = `it stays on ${from.hostname}, which is drained`;
  if (!isBound(draft, instance, from.id)) return `${stays}: ${advice}`;
  return (
    `${stays}: its volume data is there, and no other node has it. It runs on, without routes once the drained ` +
    `node's agent has left: make ${from.hostname} active again when the work on it is done`
  );
}

function reasonOf(want: Want): string {
  if (want.kind === "move") return `moved off ${want.from.hostname}, which is drained: `;
  if (want.kind === "elsewhere") return "it did not get running in time on its node: ";
  return "";
}
