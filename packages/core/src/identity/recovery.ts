import type { AssignedInstance } from "../model/assignment.ts";
import type { DeploymentId } from "../model/deployment.ts";
import type { Instance, InstanceId } from "../model/instance.ts";
import { isFinal, isLive } from "../model/state.ts";
import type { World } from "../world/world.ts";
import { parseInstanceId } from "../model/instance-id.ts";
import { createRecoveryDraft, isAbsent, type RecoveryDraft } from "./recovery-draft.ts";
import type { HeldNode, Recovery, RecoveryInput, RecoveryItem } from "./recovery-records.ts";
import { believedOf, disbelievedOf } from "./recovery-belief.ts";
import { planVolumes } from "./recovery-volumes.ts";
import type { Seen } from "./strangers.ts";
import { highestSerials, highestVolumeSerial, knownSerial, SERIAL_GAP, type Serials } from "./serials.ts";

interface Candidate {
  readonly node: HeldNode;
  readonly present: HeldNode["present"][number];
  readonly held: AssignedInstance | undefined;
}

/**
 * Plans how the records become the fleet's again: what runs and is lost to them is adopted from
 * what its agent holds; of several copies the latest placement stays; what nobody can explain is
 * left alone. Numbers begin beyond everything that any agent has seen.
 */
export function planRecovery(told: RecoveryInput): Recovery {
  const input = { ...told, nodes: told.nodes.map(believedOf) };
  const draft = createRecoveryDraft(input);
  const items: RecoveryItem[] = told.nodes.flatMap(disbelievedOf);
  const living = candidatesById(input, ({ state }) => !isFinal(state) && state !== "stopping");
  for (const candidates of living.values()) {
    const [latest, ...others] = candidates.toSorted(byPlacement(input.world));
    if (latest === undefined) continue;
    items.push(itemOf(latest, ...judge(latest, input, draft)));
    for (const other of others) {
      const { epoch } = latest.present.status;
      items.push(itemOf(other, "remove", `epoch ${epoch} runs on ${latest.node.hostname}`));
    }
  }
  items.push(...adoptEnded(input, living, draft));
  draft.supersede(id => living.has(id));
  raiseEpochs(input, draft);
  const serials = raiseSerials(input, draft.deploymentIds());
  const floor = Math.max(input.identity.serialFloor, ...[...serials.values()].map(one => one.next), SERIAL_GAP);
  const held = input.nodes.flatMap(one => one.assignment?.incarnation ?? []).filter(one => one !== "");
  const { incarnation, succeeds } = input.identity;
  const volumes = [...input.world.volumes, ...input.nodes.flatMap(one => one.volumes)];
  return {
    ...draft.close(serials),
    identity: {
      incarnation: input.incarnation,
      succeeds: [...new Set([...succeeds, incarnation, ...held])],
      serialFloor: floor,
    },
    items: items.toSorted((a, b) => (`${a.nodeId} ${a.instanceId}` < `${b.nodeId} ${b.instanceId}` ? -1 : 1)),
    serials,
    volumes: planVolumes(input),
    placements: Math.max(input.world.placements, highestVolumeSerial(volumes)) + SERIAL_GAP,
  };
}

/** Everything on the nodes that is as asked, by its instance. */
function candidatesById(
  { nodes }: RecoveryInput,
  isMeant: (status: Seen) => boolean,
): ReadonlyMap<InstanceId, readonly Candidate[]> {
  const all = nodes.flatMap(node =>
    node.present
      .filter(({ status }) => isMeant(status))
      .map(present => {
        const { instanceId, epoch } = present.status;
        const instances = node.assignment?.instances ?? [];
        const held = instances.find(one => one.instanceId === instanceId && one.epoch === epoch);
        return { node, present, held };
      }),
  );
  return Map.groupBy(all, one => one.present.status.instanceId);
}

/** The latest placement first; of one placement the copy that the records have. */
function byPlacement(world: World): (a: Candidate, b: Candidate) => number {
  const isRecorded = ({ node, present: { status } }: Candidate): boolean =>
    world.locations.some(
      one => one.instanceId === status.instanceId && one.epoch === status.epoch && one.nodeId === node.nodeId,
    );
  return (a, b) =>
    b.present.status.epoch - a.present.status.epoch ||
    Number(isRecorded(b)) - Number(isRecorded(a)) ||
    (a.node.nodeId < b.node.nodeId ? -1 : 1);
}

function itemOf({ node, present }: Candidate, action: RecoveryItem["action"], because: string): RecoveryItem {
  const { instanceId, epoch } = present.status;
  return { nodeId: node.nodeId, instanceId, epoch, action, because };
}

type Judgement = readonly [RecoveryItem["action"], string];

function judge(one: Candidate, input: RecoveryInput, draft: RecoveryDraft): Judgement {
  const { instanceId } = one.present.status;
  if (one.held?.desired === "stop") return ["remove", "it was being ended"];
  const instance = input.world.instances.find(other => other.id === instanceId);
  return instance === undefined ? judgeLost(one, input, draft) : judgeRecorded(one, instance, input, draft);
}

function judgeRecorded(
  { node, present, held }: Candidate,
  instance: Instance,
  { world, nodes }: RecoveryInput,
  draft: RecoveryDraft,
): Judgement {
  const { epoch } = present.status;
  const row = world.locations.find(other => other.instanceId === instance.id && other.epoch === epoch);
  if (row?.nodeId === node.nodeId) return ["keep", "it is recorded"];
  if (epoch < instance.epoch) return ["remove", `epoch ${instance.epoch} was placed since`];
  if (row !== undefined) draft.drop(row);
  for (const older of world.locations) {
    // Its agent would be told to run what it has seen a later placement of.
    if (older.instanceId === instance.id && older.epoch < epoch && isAbsent(older, nodes)) draft.drop(older);
  }
  draft.adoptPlacement({ ...instance, epoch }, { nodeId: node.nodeId, present, held });
  return ["adopt", epoch > instance.epoch ? "the records lost its placement" : "the records lost its row"];
}

function judgeLost(
  { node, present, held }: Candidate,
  { identity, serials }: RecoveryInput,
  draft: RecoveryDraft,
): Judgement {
  const { instanceId } = present.status;
  const name = parseInstanceId(instanceId);
  if (name === undefined) return ["leave", "its name is none of an instance"];
  const isOurs = (node.assignment?.incarnation ?? identity.incarnation) === identity.incarnation;
  if (isOurs && knownSerial(instanceId, serials.get(name.deploymentId)) === "given") {
    return ["remove", "it was ended while its node was away"];
  }
  if (!draft.adoptInstance(name.deploymentId, { nodeId: node.nodeId, present, held }, isOurs)) {
    return ["leave", "neither its agent nor the records know its spec"];
  }
  return ["adopt", "the records lost it"];
}

/**
 * Adopts what has ended and was not told to: what is to run once would run again. Of an instance of
 * which something lives, only that counts.
 */
function adoptEnded(
  input: RecoveryInput,
  living: ReadonlyMap<InstanceId, readonly Candidate[]>,
  draft: RecoveryDraft,
): readonly RecoveryItem[] {
  return [...candidatesById(input, ({ state }) => isFinal(state))].flatMap(([instanceId, candidates]) => {
    const [latest] = candidates.toSorted(byPlacement(input.world));
    const desired = latest?.held?.desired ?? "stop";
    if (latest === undefined || desired === "stop" || living.has(instanceId)) return [];
    const isAdopted = adoptEndedCopy(latest, input, draft);
    return isAdopted ? [itemOf(latest, "adopt", "the records do not know that it has ended")] : [];
  });
}

function adoptEndedCopy(one: Candidate, input: RecoveryInput, draft: RecoveryDraft): boolean {
  const { node, present, held } = one;
  const { instanceId, epoch } = present.status;
  const instance = input.world.instances.find(other => other.id === instanceId);
  if (instance === undefined) return judgeLost(one, input, draft)[0] === "adopt";
  const rows = input.world.locations.filter(row => row.instanceId === instanceId);
  if (epoch < instance.epoch || rows.some(row => row.epoch === epoch)) return false;
  // It does not run there any more, and would be told to.
  for (const row of rows) if (input.nodes.some(other => other.nodeId === row.nodeId)) draft.drop(row);
  draft.adoptPlacement({ ...instance, epoch }, { nodeId: node.nodeId, present, held });
  return true;
}

/**
 * An instance that is placed nowhere begins above every epoch that any agent has seen of it. So
 * does one whose later placement is over: its agent would be told to run what it has seen replaced.
 */
function raiseEpochs({ world, nodes }: RecoveryInput, draft: RecoveryDraft): void {
  const placed = new Map(world.locations.filter(isLive).map(one => [`${one.instanceId} ${one.epoch}`, one]));
  for (const instance of world.instances) {
    const seen = Math.max(instance.epoch, ...nodes.map(one => one.epochs[instance.id] ?? 0));
    const row = placed.get(`${instance.id} ${instance.epoch}`);
    if (seen <= instance.epoch || (row !== undefined && !isAbsent(row, nodes))) continue;
    if (row !== undefined) draft.drop(row);
    draft.raiseEpoch(instance, seen);
  }
}

/**
 * Beyond all that any agent names; what is skipped may have been given out, and nobody can tell.
 */
function raiseSerials(
  { nodes, serials, world, identity }: RecoveryInput,
  more: Iterable<DeploymentId>,
): ReadonlyMap<DeploymentId, Serials> {
  const highest = highestSerials(
    nodes.flatMap(({ present, epochs, assignment }) => [
      ...present.map(one => one.status.instanceId),
      ...Object.keys(epochs),
      ...(assignment?.instances ?? []).map(one => one.instanceId),
    ]),
  );
  const ids = new Set([...serials.keys(), ...highest.keys(), ...world.deployments.map(one => one.id), ...more]);
  return new Map(
    [...ids].map(id => {
      const known = serials.get(id);
      const next = known?.next ?? Math.max(1, identity.serialFloor);
      const to = Math.max(next, (highest.get(id) ?? 0) + 1) + SERIAL_GAP;
      const from = known?.gap?.from ?? (known === undefined ? 1 : next);
      return [id, { next: to, gap: { from, to }, skipped: known?.skipped ?? [] }];
    }),
  );
}
