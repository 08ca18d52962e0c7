import type { AssignedInstance } from "../model/assignment.ts";
import type { TenantId } from "../model/tenant.ts";
import { groupKey, recall } from "./round.ts";
import type { Round } from "./round.ts";
import { stepKey } from "./step.ts";

type Placed = Pick<AssignedInstance, "instanceId" | "epoch">;

/** An instance with what decides when its turn comes. */
interface Asking {
  readonly instance: AssignedInstance;
  readonly holdsTurn: boolean;
  /** Ends in a row: an instance that was started often waits behind those that were not. */
  readonly failures: number;
}

/**
 * The instances in the order in which they get turns. Each tenant has its own line: what holds a
 * turn already, then those with the fewest ends in a row. The lines are served by place: the first
 * of each tenant, then the second of each. A tenant that holds turns therefore comes after one that
 * holds none, and no tenant keeps another waiting.
 */
export function inFairOrder(round: Round, instances: readonly AssignedInstance[]): readonly AssignedInstance[] {
  const [lacking, whole]: [Asking[], AssignedInstance[]] = [[], []];
  for (const instance of instances) {
    if (runsWhole(round, instance)) whole.push(instance);
    else lacking.push({ instance, holdsTurn: holdsTurn(round, instance), failures: failuresOf(round, instance) });
  }
  const places = placesOf(lacking);
  const inLine = lacking.toSorted(
    (a, b) =>
      places.get(a.instance)! - places.get(b.instance)! ||
      a.failures - b.failures ||
      byInstance(a.instance, b.instance),
  );
  return [...inLine.map(one => one.instance), ...whole.toSorted(byInstance)];
}

function placesOf(lacking: readonly Asking[]): ReadonlyMap<AssignedInstance, number> {
  const places = new Map<AssignedInstance, number>();
  const lines: ReadonlyMap<TenantId, readonly Asking[]> = Map.groupBy(lacking, one => one.instance.tenantId);
  for (const line of lines.values()) {
    const sorted = line.toSorted(
      (a, b) =>
        Number(b.holdsTurn) - Number(a.holdsTurn) || a.failures - b.failures || byInstance(a.instance, b.instance),
    );
    sorted.forEach((one, place) => places.set(one.instance, place));
  }
  return places;
}

function runsWhole(round: Round, { instanceId, epoch, spec }: AssignedInstance): boolean {
  const group = round.groups.get(groupKey(instanceId, epoch)) ?? [];
  return group.filter(one => one.state === "running").length >= spec.containers.length;
}

function holdsTurn(round: Round, { instanceId, epoch, spec }: AssignedInstance): boolean {
  const group = round.groups.get(groupKey(instanceId, epoch)) ?? [];
  return (
    group.some(one => round.inFlight.has(stepKey.start(one.id))) ||
    ["", ...spec.containers.map(one => one.name)].some(name =>
      round.inFlight.has(stepKey.create(instanceId, epoch, name)),
    )
  );
}

function failuresOf(round: Round, instance: AssignedInstance): number {
  return Math.max(
    0,
    ...["", ...instance.spec.containers.map(one => one.name)].map(name => recall(round, instance, name).failures),
  );
}

/** Orders by instance, then by epoch. */
export function byInstance(a: Placed, b: Placed): number {
  if (a.instanceId !== b.instanceId) return a.instanceId < b.instanceId ? -1 : 1;
  return a.epoch - b.epoch;
}
