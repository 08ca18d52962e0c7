import { canonicalText } from "../converge/spec-hash.ts";
import type { AssignedInstance } from "../model/assignment.ts";
import type { Deployment, DeploymentId, DeploymentSpec, Release } from "../model/deployment.ts";
import type { Instance, InstanceId, Location } from "../model/instance.ts";
import type { NodeId } from "../model/node.ts";
import type { Route } from "../model/routing.ts";
import type { Tenant } from "../model/tenant.ts";
import { parseInstanceId } from "../model/instance-id.ts";
import { isLive } from "../model/state.ts";
import { routesFromSpec } from "../routing/labels.ts";
import type { World } from "../world/world.ts";
import type { HeldNode, Recovery, RecoveryInput } from "./recovery-records.ts";
import type { Serials } from "./serials.ts";

/** Something that runs, with what its agent holds of it. */
export interface Adopted {
  readonly nodeId: NodeId;
  readonly present: HeldNode["present"][number];
  readonly held: AssignedInstance | undefined;
}

/** The records as a recovery makes them. */
export interface RecoveryDraft {
  /** Writes where a recorded instance runs. */
  adoptPlacement(instance: Instance, adopted: Adopted): void;
  /**
   * Writes an instance that the records lost. `isOurs`: it is of this database, so what it is is
   * later than the records. Answers whether its spec is known.
   */
  adoptInstance(deploymentId: DeploymentId, adopted: Adopted, isOurs: boolean): boolean;
  drop(row: Location): void;
  /**
   * Gives each slot to the adopted instance in it: a recorded one of which nothing runs would take
   * the slot back, and what runs would be ended.
   */
  supersede(runs: (id: InstanceId) => boolean): void;
  /** Sets the epoch of an instance that is placed nowhere, unless it was adopted. */
  raiseEpoch(instance: Instance, epoch: number): void;
  /** The deployments that are made anew or changed. */
  deploymentIds(): Iterable<DeploymentId>;
  close(
    serials: ReadonlyMap<DeploymentId, Serials>,
  ): Omit<Recovery, "identity" | "items" | "serials" | "volumes" | "placements">;
}

interface Draft {
  readonly before: Deployment | undefined;
  readonly tenantId: string;
  readonly name: string;
  readonly specs: Map<number, DeploymentSpec>;
  /** Numbers among `specs` that are not recorded yet. */
  readonly added: Set<number>;
  wanted: number;
  isRun: boolean;
}

/** Opens it on the records of a recovery. */
export function createRecoveryDraft({ world, nodes, routes, now }: RecoveryInput): RecoveryDraft {
  const drafts = new Map<DeploymentId, Draft>();
  const instances = new Map<string, Instance>();
  const locations: Location[] = [];
  const dropped: Location[] = [];
  /** Slots of what the records lost. */
  const taken = new Set<string>();

  function draftOf(deploymentId: DeploymentId, tenantId: string): Draft {
    const known = drafts.get(deploymentId);
    if (known !== undefined) return known;
    const draft = openDeployment(world, deploymentId, tenantId);
    drafts.set(deploymentId, draft);
    return draft;
  }

  function place(instance: Instance, { nodeId, present }: Adopted): void {
    instances.set(instance.id, instance);
    locations.push(rowOf(instance, nodeId, present.status, now));
  }

  return {
    adoptPlacement: (instance, adopted) => place(instance, adopted),
    adoptInstance: (deploymentId, adopted, isOurs) => {
      const { present, held } = adopted;
      const tenantId = deploymentId.slice(0, Math.max(0, deploymentId.indexOf(".")));
      const draft = draftOf(deploymentId, held?.tenantId ?? tenantId);
      const release = takeRelease(draft, held?.release ?? present.release, held?.spec, isOurs);
      if (release === undefined) {
        if (draft.before === undefined && draft.specs.size === 0) drafts.delete(deploymentId);
        return false;
      }
      draft.isRun = true;
      if (isOurs || draft.before === undefined) draft.wanted = Math.max(draft.wanted, release);
      const slot = held?.slot ?? freeSlot(deploymentId, { world, nodes }, instances);
      const { instanceId, epoch } = present.status;
      const owner = { id: instanceId, tenantId: draft.tenantId, deploymentId };
      const rest = { createdAt: now, refusal: undefined, retryAt: undefined };
      place({ ...owner, release, slot, epoch, desired: "run", ...rest }, adopted);
      taken.add(slotOf({ deploymentId, slot }));
      return true;
    },
    drop: row => void dropped.push(row),
    supersede: runs => {
      const isOver = (one: Instance): boolean => !runs(one.id) && taken.has(slotOf(one));
      for (const one of world.instances.filter(isOver))
        stop(one, { world, nodes, now }, { instances, locations, dropped });
    },
    raiseEpoch: (instance, epoch) => {
      if (!instances.has(instance.id)) instances.set(instance.id, { ...instance, epoch });
    },
    deploymentIds: () => drafts.keys(),
    close: serials => {
      const inTheWay = rowsInTheWay(nodes, world.locations, locations);
      const deployments = [...drafts].map(([id, draft]) => closeDeployment(id, draft, instances, world.instances, now));
      return {
        tenants: lostTenants(world, [...drafts.values()]),
        deployments: deployments.map(one => ({ ...one, nextSerial: serials.get(one.id)?.next ?? one.nextSerial })),
        releases: [...drafts].flatMap(([id, draft]) => releasesOf(id, draft)),
        routes: deployments.flatMap(one => routesOf(one, drafts.get(one.id)!, routes)),
        instances: [...instances.values()],
        locations,
        dropped: [...new Set([...dropped, ...inTheWay])].map(({ instanceId, epoch }) => ({ instanceId, epoch })),
      };
    },
  };
}

function rowOf(
  instance: Instance,
  nodeId: NodeId,
  { epoch, ports, state, health, containers, message, address }: Adopted["present"]["status"],
  now: number,
): Location {
  const { id, deploymentId, tenantId, release, desired } = instance;
  return {
    ...{ instanceId: id, deploymentId, tenantId, release, epoch, nodeId, desired, desiredAt: now },
    ...{ ports, state, health, containers, message, changedAt: now },
    ...(address === undefined ? {} : { address }),
  };
}

function lostTenants(world: World, drafts: readonly Draft[]): readonly Tenant[] {
  const known = new Set(world.tenants.map(one => one.id));
  const owners = new Set(drafts.map(one => one.tenantId).filter(id => !known.has(id)));
  return [...owners].map(id => ({ id, quota: NO_QUOTA }));
}

interface Rows {
  readonly instances: Map<string, Instance>;
  readonly locations: Location[];
  readonly dropped: Location[];
}

function stop(
  instance: Instance,
  { world, nodes, now }: Pick<RecoveryInput, "world" | "nodes" | "now">,
  { instances, locations, dropped }: Rows,
): void {
  instances.set(instance.id, { ...(instances.get(instance.id) ?? instance), desired: "stop" });
  // A copy of it that has ended was adopted.
  for (const [at, row] of locations.entries())
    if (row.instanceId === instance.id) locations[at] = { ...row, desired: "stop" };
  for (const row of world.locations.filter(one => one.instanceId === instance.id)) {
    dropped.push(row);
    // Its node says when nothing of it is left.
    if (!isAbsent(row, nodes)) locations.push({ ...row, desired: "stop", desiredAt: now });
  }
}

/** The first slot in which nothing runs: where the agent has lost it, only that can be known. */
function freeSlot(
  deploymentId: DeploymentId,
  { world, nodes }: Pick<RecoveryInput, "world" | "nodes">,
  adopted: ReadonlyMap<string, Instance>,
): number {
  const mayRun = ({ id }: Instance): boolean =>
    nodes.some(node => node.present.some(one => one.status.instanceId === id)) ||
    world.locations.some(row => row.instanceId === id && isLive(row) && !isAbsent(row, nodes));
  const recorded = [...world.instances.filter(mayRun), ...adopted.values()];
  // What is adopted later has its slot, too.
  const held = nodes.flatMap(heldRunning).filter(one => parseInstanceId(one.instanceId)?.deploymentId === deploymentId);
  const all = [...recorded.filter(one => one.deploymentId === deploymentId), ...held];
  const used = new Set(all.map(one => one.slot));
  let slot = 0;
  while (used.has(slot)) slot += 1;
  return slot;
}

/** What is on a node in a slot that its agent still knows. */
function heldRunning({ assignment, present }: HeldNode): readonly AssignedInstance[] {
  const found = new Set(present.map(one => one.status.instanceId));
  return (assignment?.instances ?? []).filter(one => one.desired !== "stop" && found.has(one.instanceId));
}

/** Whether the agent of the row's node answered that it has nothing of it. */
export function isAbsent({ nodeId, instanceId, epoch }: Location, nodes: readonly HeldNode[]): boolean {
  const node = nodes.find(one => one.nodeId === nodeId);
  return (
    node !== undefined && !node.present.some(({ status }) => status.instanceId === instanceId && status.epoch === epoch)
  );
}

/** Rows of what does not run on a node that answered, and whose ports something adopted has. */
function rowsInTheWay(
  nodes: readonly HeldNode[],
  recorded: readonly Location[],
  adopted: readonly Location[],
): readonly Location[] {
  const present = new Set(nodes.flatMap(node => node.present.map(one => keyOf(node.nodeId, one.status))));
  const answered = new Set(nodes.map(node => node.nodeId));
  return recorded.filter(
    row =>
      answered.has(row.nodeId) && !present.has(keyOf(row.nodeId, row)) && adopted.some(one => takesPortOf(row, one)),
  );
}

const NO_QUOTA: Tenant["quota"] = { instances: undefined, cpuMillis: undefined, memoryBytes: undefined };

function slotOf({ deploymentId, slot }: Pick<Instance, "deploymentId" | "slot">): string {
  return `${deploymentId} ${slot}`;
}

function keyOf(nodeId: NodeId, of: { readonly instanceId: string; readonly epoch: number }): string {
  return `${nodeId} ${of.instanceId} ${of.epoch}`;
}

function openDeployment(world: World, deploymentId: DeploymentId, tenantId: string): Draft {
  const before = world.deployments.find(one => one.id === deploymentId);
  const recorded = world.releases.filter(one => one.deploymentId === deploymentId);
  return {
    ...{ before, tenantId: before?.tenantId ?? tenantId, name: deploymentId.slice(deploymentId.indexOf(".") + 1) },
    specs: new Map(recorded.map(one => [one.number, one.spec])),
    added: new Set(),
    wanted: before?.release ?? 0,
    isRun: before === undefined,
  };
}

/**
 * The number under which the spec is recorded; a number of another database may mean another spec
 * here.
 */
function takeRelease(
  draft: Draft,
  number: number,
  spec: DeploymentSpec | undefined,
  isOurs: boolean,
): number | undefined {
  const recorded = draft.specs.get(number);
  if (spec === undefined) return isOurs && recorded !== undefined ? number : undefined;
  // One of them came over the wire, and has its fields in another order.
  const text = canonicalText(spec);
  if (recorded !== undefined && canonicalText(recorded) === text) return number;
  for (const added of draft.added) if (canonicalText(draft.specs.get(added)) === text) return added;
  const isFree = recorded === undefined && (isOurs || draft.before === undefined);
  const taken = isFree ? number : Math.max(0, draft.before?.release ?? 0, ...draft.specs.keys()) + 1;
  draft.specs.set(taken, spec);
  draft.added.add(taken);
  return taken;
}

/**
 * Numbers above the wanted release would be taken for newer ones: then what is wanted is recorded
 * again above them.
 */
function closeDeployment(
  id: DeploymentId,
  draft: Draft,
  adopted: ReadonlyMap<string, Instance>,
  recorded: readonly Instance[],
  now: number,
): Deployment {
  const highest = Math.max(draft.wanted, ...draft.specs.keys());
  const wanted = draft.specs.get(draft.wanted);
  if (highest > draft.wanted && wanted !== undefined) {
    draft.wanted = highest + 1;
    draft.specs.set(draft.wanted, wanted);
    draft.added.add(draft.wanted);
  }
  const all = new Map([...recorded.map(one => [one.id, one] as const), ...adopted]);
  const slots = [...all.values()].filter(one => one.deploymentId === id && one.desired === "run").map(one => one.slot);
  const replicas = Math.max(draft.before?.replicas ?? 0, new Set(slots).size);
  const { before, tenantId, name } = draft;
  const base: Deployment = before ?? {
    ...{ id, tenantId, name, desired: "run", replicas, release: draft.wanted },
    ...{ resourceVersion: 0, nextSerial: 1, createdAt: now },
  };
  const desired = draft.isRun ? "run" : base.desired;
  return { ...base, desired, replicas, release: draft.wanted, resourceVersion: base.resourceVersion + 1 };
}

function releasesOf(deploymentId: DeploymentId, { added, specs }: Draft): readonly Release[] {
  return [...added].map(number => ({ deploymentId, number, spec: specs.get(number)! }));
}

/**
 * The routes of a deployment whose release becomes another one, without domains that another tenant
 * has.
 */
function routesOf(deployment: Deployment, draft: Draft, recorded: readonly Route[]): readonly Route[] {
  const { id, tenantId, release } = deployment;
  const spec = draft.specs.get(release);
  if (spec === undefined || draft.before?.release === release) return [];
  const owners = new Map(recorded.map(one => [one.domain, one.tenantId]));
  return routesFromSpec(tenantId, id, spec).routes.filter(one => (owners.get(one.domain) ?? tenantId) === tenantId);
}

/** Whether a row occupies one of these ports of its node. */
function takesPortOf(row: Location, other: Location): boolean {
  return (
    row.nodeId === other.nodeId &&
    isLive(row) &&
    row.ports.some(port => other.ports.some(one => one.hostPort === port.hostPort && one.protocol === port.protocol))
  );
}
