import { deploymentIdOf } from "@skep/core/model/instance-id.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { refusalToProto } from "@skep/api/codec/instance.ts";
import { eventToProto } from "@skep/api/codec/notice.ts";
import type {
  ExplainPlacementRequest,
  ExplainPlacementResponseSchema,
  NodeVerdictSchema,
  PlacementSchema,
} from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { PlacementSettings, World } from "@skep/core/world/world.ts";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import { currentOf, isLive } from "@skep/core/model/state.ts";
import { explainPlacement, previewPlacement } from "@skep/core/placement/explain.ts";
import type { NodeVerdict } from "@skep/core/placement/explain.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Store } from "../store/store.ts";
import { findDeployment } from "./deployment-read.ts";
import { findInstance } from "./instance-read.ts";
import { readAll } from "./lookups.ts";

type PlacementInit = MessageInitShape<typeof PlacementSchema>;

/** How many instances are explained node by node; more would say the same again. */
const MOST_EXPLAINED = 50;
const MOST_DECISIONS = 50;

/**
 * Why the instances of a deployment are where they are, or nowhere; those without a node come
 * first.
 */
export async function explain(
  store: Store,
  request: ExplainPlacementRequest,
  now: number,
  settings: PlacementSettings,
): Promise<MessageInitShape<typeof ExplainPlacementResponseSchema>> {
  const { deploymentId, instanceId } = request;
  const subject = instanceId === "" ? { deploymentId } : { instanceId };
  // What is not there is an error, not an empty answer.
  if (instanceId === "") await findDeployment(store, deploymentId);
  else await findInstance(store, instanceId);
  const [world, decisions] = await Promise.all([
    store.loadWorld(),
    readAll(page => store.listDecisions(subject, page)),
  ]);
  const instances = world.instances
    .filter(one => (instanceId === "" ? one.deploymentId === deploymentId : one.id === instanceId))
    .filter(one => one.desired === "run")
    .map(instance => ({ instance, location: placedAt(world, instance) }))
    .toSorted(
      (a, b) =>
        Number(a.location !== undefined) - Number(b.location !== undefined) || a.instance.slot - b.instance.slot,
    );
  return {
    placements: instances
      .slice(0, MOST_EXPLAINED)
      .map(({ instance, location }) => explainOne(world, instance, location, decisions, now, settings)),
    decisions: decisions.slice(-MOST_DECISIONS).toReversed().map(eventToProto),
  };
}

/** Where the replicas of a spec would go, as if nothing of that deployment ran yet. */
export function preview(
  world: World,
  tenantId: string,
  spec: DeploymentSpec,
  now: number,
  settings: PlacementSettings,
): PlacementInit[] {
  const id = deploymentIdOf(tenantId, spec.name);
  const without: World = {
    ...world,
    instances: world.instances.filter(instance => instance.deploymentId !== id),
    locations: world.locations.filter(location => location.deploymentId !== id),
  };
  const hostnames = new Map(world.nodes.map(node => [node.id, node.hostname]));
  const { placed, refused } = previewPlacement(without, { tenantId, spec }, now, settings);
  // The verdicts are those for the first instance: they show which nodes were considered at all.
  const nodes = explainPlacement(without, { tenantId, spec }, now, settings).nodes.map(verdictToProto);
  return [
    ...placed.map(one => {
      const { slot, nodeId, because } = one;
      return { slot, nodeId, hostname: hostnames.get(nodeId) ?? nodeId, because, nodes: slot === 0 ? nodes : [] };
    }),
    ...refused.map(({ slot, refusal }) => ({ slot, refusal: refusalToProto(refusal), nodes: slot === 0 ? nodes : [] })),
  ].toSorted((a, b) => a.slot - b.slot);
}

function explainOne(
  world: World,
  instance: Instance,
  location: Location | undefined,
  decisions: readonly Decision[],
  now: number,
  settings: PlacementSettings,
): PlacementInit {
  const explanation = explainPlacement(worldWithout(world, instance), instance, now, settings);
  const nodes = explanation.nodes.map(verdictToProto);
  const base = { instanceId: instance.id, slot: instance.slot, nodes };
  if (location === undefined) {
    const refusal = explanation.refusal ?? instance.refusal;
    const because = refusal === undefined ? "It will be placed at the next tick." : "";
    return { ...base, because, ...(refusal === undefined ? {} : { refusal: refusalToProto(refusal) }) };
  }
  const decision = decisions.findLast(
    one =>
      one.kind === "instance.placed" &&
      one.instanceId === instance.id &&
      one.epoch === location.epoch &&
      one.nodeId === location.nodeId,
  );
  const hostname = world.nodes.find(node => node.id === location.nodeId)?.hostname ?? location.nodeId;
  const placed = { ...base, nodeId: location.nodeId, hostname, because: decision?.sentence ?? "" };
  // It has a node and waits all the same: for that node's return, or for another one to move to.
  return instance.refusal === undefined ? placed : { ...placed, refusal: refusalToProto(instance.refusal) };
}

/** What the instance itself takes up is no reason why it could not be where it is. */
function worldWithout(world: World, { id }: Instance): World {
  return {
    ...world,
    instances: world.instances.filter(instance => instance.id !== id),
    locations: world.locations.filter(location => location.instanceId !== id),
  };
}

function placedAt(world: World, instance: Instance): Location | undefined {
  const own = world.locations.filter(location => location.instanceId === instance.id);
  const current = currentOf(instance, own);
  return current !== undefined && isLive(current) ? current : undefined;
}

function verdictToProto(verdict: NodeVerdict): MessageInitShape<typeof NodeVerdictSchema> {
  return { ...verdict, filter: verdict.filter ?? "" };
}
