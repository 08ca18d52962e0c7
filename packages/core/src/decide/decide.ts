import { sayWaits } from "../passes/dependencies.ts";
import { fillSlots } from "../passes/deployments.ts";
import { evictLost } from "../passes/eviction.ts";
import { forgetFinished } from "../passes/forget.ts";
import { placeWanted, withdrawRefusals } from "../passes/placing.ts";
import { retryFailed } from "../passes/retry.ts";
import { supersedeOlder } from "../passes/supersede.ts";
import { wakeTimes } from "../passes/wake-time.ts";
import { leavableVolumes, leaveVolumes, mayLeave } from "../passes/leaving.ts";
import { recordVolumes } from "../passes/volumes.ts";
import { wantsOf, type Want } from "../passes/wants.ts";
import { standingOf, stir, type Standing } from "../placement/standing.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { InstanceId } from "../model/instance.ts";
import { basisOf } from "../world/basis.ts";
import type { Aside } from "../world/culprits.ts";
import { openDraft } from "../world/draft.ts";
import type { Draft } from "../world/draft.ts";
import { inOrder } from "../world/order.ts";
import type { Change, Plan } from "../world/plan.ts";
import type { Settings, World } from "../world/world.ts";
import { awakeSince, type Seen } from "./awake.ts";

/** One look at the world: what it decided, and what the next look can go on from. */
export interface Look {
  readonly plan: Plan;
  readonly seen: Seen;
  readonly standing: Standing | undefined;
  /** Deployments of which nothing was decided; see `lookAround`. */
  readonly aside: Aside;
}

/** What is to change in the world at `now`. */
export function decide(world: World, settings: Settings, now: number): Plan {
  return lookAt(world, settings, now, undefined).plan;
}

/**
 * Decides as `decide` does. After an earlier look, the passes go through the deployments of which
 * something changed since or is due, and the others rest.
 *
 * Each line is one pass, and each sees what the passes before it changed; only the placing pass
 * takes from nodes, and nothing after it gives back, so that deciding again on the applied plan
 * changes nothing. Those in `aside` rest whatever became of them.
 */
export function lookAt(
  world: World,
  settings: Settings,
  now: number,
  before: Look | undefined,
  aside: Aside = new Map(),
): Look {
  const ordered = inOrder(world);
  const stirred = awakeSince(before?.seen, ordered, settings, now);
  const awake = aside.size === 0 ? stirred : without(stirred ?? everybody(ordered), aside);
  const draft = openDraft(ordered, now, awake);
  const owners = ownersIn(draft);
  recordVolumes(draft);
  let ending = endAndFill(draft, settings);
  const counted = stirred === undefined ? undefined : before?.standing;
  if (leaveAway(draft, settings, awake, counted)) ending = endAndFill(draft, settings);
  const wants = wantsOf(draft, settings, ending);
  const standing = awake === undefined ? undefined : standingAfter(draft, awake, settings, wants, counted);
  placeWanted(draft, settings, wants, standing?.counts);
  recordVolumes(draft);
  withdrawRefusals(draft, wants);
  supersedeOlder(draft, settings, ending);
  sayWaits(draft, ending);
  const { changes } = draft;
  const restless = new Set(wants.map(want => want.instance.deploymentId));
  // Any change of the fleet may let them leave their volumes behind.
  for (const id of mayLeave(draft)) restless.add(id);
  for (const change of changes) restless.add(ownerOf(change, owners));
  const due = wakeTimes(draft, settings);
  for (const [id, at] of before?.seen.due ?? []) if (stirred?.has(id) === false) due.set(id, at);
  const times = [...due.values(), ...draft.unseen.values()].filter(at => at > now);
  const wakeAt = times.length === 0 ? undefined : times.reduce((a, b) => Math.min(a, b));
  const wholeAt = stirred === undefined ? now : before!.seen.wholeAt;
  return {
    plan: { changes, wakeAt, basis: basisOf(ordered, changes) },
    seen: { world: ordered, settings, now, wholeAt, restless, due },
    standing,
    aside: new Map([...[...(before?.aside ?? [])].filter(([id]) => stirred?.has(id) === false), ...aside]),
  };
}

/** Answers the instances that are on their way out. */
function endAndFill(draft: Draft, settings: Settings): ReadonlySet<InstanceId> {
  evictLost(draft);
  const ending = fillSlots(draft, settings);
  retryFailed(draft);
  forgetFinished(draft, settings);
  return ending;
}

/** What waited for a volume that is left behind waits no more: answers whether any was. */
function leaveAway(
  draft: Draft,
  settings: Settings,
  awake: ReadonlySet<DeploymentId> | undefined,
  counted: Standing | undefined,
): boolean {
  const leavable = leavableVolumes(draft);
  if (leavable.length === 0) return false;
  const standing = awake === undefined ? undefined : standingOf(draft, awake, settings, counted);
  return leaveVolumes(draft, settings, leavable, standing?.counts);
}

/** Every deployment that has records, be it recorded itself or not. */
export function everybody(world: World): ReadonlySet<DeploymentId> {
  const { deployments, releases, instances, locations } = world;
  const owned = [releases, instances, locations].flatMap(all => all.map(one => one.deploymentId));
  return new Set([...deployments.map(one => one.id), ...owned]);
}

function without(all: ReadonlySet<DeploymentId>, aside: Aside): ReadonlySet<DeploymentId> {
  return new Set([...all].filter(id => !aside.has(id)));
}

/** What rests beside the draft is counted where something is to be placed. */
function standingAfter(
  draft: Draft,
  awake: ReadonlySet<DeploymentId>,
  settings: Settings,
  wants: readonly Want[],
  before: Standing | undefined,
): Standing | undefined {
  if (wants.length > 0) return standingOf(draft, awake, settings, before);
  return before === undefined ? undefined : stir(before, awake);
}

type Owners = ReadonlyMap<InstanceId, DeploymentId>;

/** Whose each instance is, by its own record or that of a location. */
function ownersIn(draft: Draft): Owners {
  const owners = new Map<InstanceId, DeploymentId>();
  for (const [id, locations] of draft.locations) owners.set(id, locations[0]!.deploymentId);
  for (const { id, deploymentId } of draft.instances.values()) owners.set(id, deploymentId);
  return owners;
}

function ownerOf(change: Change, owners: Owners): DeploymentId {
  switch (change.kind) {
    case "create-instance":
      return change.instance.deploymentId;
    case "create-volume":
    case "leave-volume":
      return change.deploymentId;
    case "forget-deployment":
      return change.deploymentId;
    default:
      return owners.get(change.instanceId) ?? "";
  }
}
