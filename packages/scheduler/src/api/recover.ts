import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HeldState } from "@skep/api/codec/held.ts";
import { toUint64 } from "@skep/api/codec/number.ts";
import {
  RecoveryAction,
  type RecoverRequest,
  type RecoverResponseSchema,
} from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { planRecovery } from "@skep/core/identity/recovery.ts";
import type { RecoveredVolume, Recovery, RecoveryItem } from "@skep/core/identity/recovery-records.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import { sentenceOf } from "../loop/records-guard.ts";
import { refuse } from "../store/refusals.ts";
import type { Request } from "../store/request.ts";
import { askHeld } from "./ask-held.ts";
import type { ApiDeps } from "./deps.ts";

/** What one agent answered, or why it did not. */
interface Asked {
  readonly nodeId: NodeId;
  readonly hostname: string;
  readonly held: HeldState | undefined;
  readonly because: string;
}

/** A node that has been silent for as long may be left out of a recovery. */
const SILENT_MS = 15_000;

const ACTIONS: Readonly<Record<RecoveryItem["action"], RecoveryAction>> = {
  keep: RecoveryAction.KEEP,
  adopt: RecoveryAction.ADOPT,
  remove: RecoveryAction.REMOVE,
  leave: RecoveryAction.LEAVE,
};

/**
 * Asks every agent what it holds, plans what has to be written, and writes it where that is
 * confirmed.
 */
export async function recover(
  deps: ApiDeps,
  request: Pick<RecoverRequest, "confirm" | "incarnation">,
  by: Request,
): Promise<MessageInitShape<typeof RecoverResponseSchema>> {
  const { store, clock } = deps;
  const asked = await askAll(deps);
  const [world, identity, serials, routes] = await Promise.all([
    store.loadWorld(),
    store.loadIdentity(),
    store.loadSerials(),
    store.listRoutes({}),
  ]);
  if (request.confirm && request.incarnation !== identity.incarnation) throw refuse.incarnationChanged();
  // A new database counts a node once its agent has reported in full. Until then a row of it would
  // be left out or given up, and what runs be placed a second time.
  const counted = new Set(world.nodes.map(node => node.id));
  const unrecorded = asked.filter(({ nodeId, held }) => !counted.has(nodeId) && (held?.present.length ?? 0) > 0);
  if (request.confirm && unrecorded.length > 0) throw refuse.nodesUnrecorded(unrecorded.map(one => one.hostname));
  // This replica may have lost the bus, or the agent may be about to start: it would come back with
  // what no record knows.
  const unanswered = asked.filter(({ nodeId, held }) => held === undefined && deps.silentMs(nodeId) < SILENT_MS);
  if (request.confirm && unanswered.length > 0) throw refuse.nodesUnanswered(unanswered.map(one => one.hostname));
  const nodes = asked.flatMap(({ nodeId, hostname, held }) =>
    held === undefined ? [] : [{ nodeId, hostname, ...held }],
  );
  const incarnation = deps.newId().replace(/^[a-z]+_/, "inc_");
  const recovery = planRecovery({ world, identity, serials, routes, nodes, incarnation, now: clock.now() });
  if (request.confirm) {
    await store.recover(recovery, identity.incarnation, by, clock.now());
    await store.saveDecisions([recovered(recovery, clock.now())]);
    deps.wake("the records were recovered");
  }
  const { unrecovered } = identity;
  return {
    incarnation: identity.incarnation,
    unrecovered: unrecovered === undefined ? "" : sentenceOf(unrecovered.because),
    nodes: asked.map(nodeToProto),
    items: recovery.items.map(item => itemToProto(item, asked)),
    volumes: recovery.volumes.items.map(item => volumeToProto(item, asked)),
    revoked: [...(await store.listRevokedNodes())],
    deployments: recovery.deployments.map(one => one.id),
    serialFloor: recovery.identity.serialFloor,
    newIncarnation: request.confirm ? incarnation : "",
  };
}

/**
 * Nodes that are recorded, and nodes whose agents beat though nothing is recorded of them.
 */
async function askAll(deps: ApiDeps): Promise<readonly Asked[]> {
  const hostnames = new Map((await deps.store.listNodes()).map(({ node }) => [node.id, node.hostname]));
  const ids = new Set([...hostnames.keys(), ...deps.heardNodes()]);
  const ask = async (nodeId: NodeId): Promise<Asked> => {
    const hostname = hostnames.get(nodeId) ?? nodeId;
    return { nodeId, hostname, ...(await askOne(deps, nodeId)) };
  };
  return Promise.all([...ids].toSorted().map(ask));
}

async function askOne({ bus }: ApiDeps, nodeId: NodeId): Promise<Pick<Asked, "held" | "because">> {
  try {
    return { held: await askHeld(bus, nodeId), because: "" };
  } catch (error) {
    return { held: undefined, because: error instanceof Error ? error.message : String(error) };
  }
}

function nodeToProto({ nodeId, hostname, held, because }: Asked) {
  const { incarnation = "", term = 0, revision = 0 } = held?.assignment ?? {};
  const works = { incarnation, term: BigInt(term), revision: BigInt(revision) };
  return { nodeId, hostname, answered: held !== undefined, because, ...works };
}

function itemToProto({ action, ...item }: RecoveryItem, asked: readonly Asked[]) {
  return { ...item, hostname: hostnameOf(item.nodeId, asked), action: ACTIONS[action] };
}

function volumeToProto({ action, serial, ...item }: RecoveredVolume, asked: readonly Asked[]) {
  const does = action === "adopt" ? RecoveryAction.ADOPT : RecoveryAction.REMOVE;
  return { ...item, hostname: hostnameOf(item.nodeId, asked), serial: toUint64(serial), action: does };
}

function hostnameOf(nodeId: NodeId, asked: readonly Asked[]): string {
  return asked.find(one => one.nodeId === nodeId)?.hostname ?? nodeId;
}

function recovered({ items, identity }: Recovery, at: number) {
  const count = (action: RecoveryItem["action"]): number => items.filter(one => one.action === action).length;
  const sentence = `The records were recovered as ${identity.incarnation}: ${count("keep")} kept, ${count("adopt")} adopted, ${count("remove")} to be removed, ${count("leave")} left alone.`;
  return {
    ...{ at, kind: "platform.recovered", sentence, tenantId: undefined, deploymentId: undefined },
    ...{ instanceId: undefined, nodeId: undefined, epoch: undefined },
  };
}
