import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import { volumeStates } from "@skep/api/codec/words.ts";
import type { VolumeSchema } from "@skep/api/gen/skep/v1/volume_pb.ts";
import type { VolumeService } from "@skep/api/gen/skep/v1/volume_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { isLive } from "@skep/core/model/state.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import { mountedVolumes, mountKey, volumesOf } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { NodeRecord, VolumeFilter } from "../store/store.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";
import { findNode } from "./nodes.ts";

/** Named volumes: which node holds which data. */
export function volumeHandlers({ store, clock, wake }: ApiDeps): ServiceImpl<typeof VolumeService> {
  const list = async (filter: VolumeFilter): Promise<MessageInitShape<typeof VolumeSchema>[]> => {
    const [volumes, world, nodes] = await Promise.all([
      store.listVolumes(filter),
      store.loadWorld(),
      store.listNodes(),
    ]);
    const byId = new Map(nodes.map(one => [one.node.id, one]));
    return volumes.map(volume => volumeToProto(volume, world, byId.get(volume.nodeId)));
  };
  return {
    listVolumes: async ({ tenantId, owner }) => ({
      volumes: await list({
        ...(tenantId === "" ? {} : { tenantId }),
        ...(owner === "" ? {} : { owner }),
      }),
    }),
    deleteVolume: async (request, context) => {
      const { owner, name, node, force, serial } = request;
      const known = (await store.listVolumes({ owner })).filter(one => one.name === name);
      const nodeId = node === "" ? undefined : nodeOf(await store.listNodes(), known, node);
      const volume = chosen(known, nodeId, fromUint64(serial, "serial"), mountKey({ owner, name }));
      // One that is on its way out already is answered alike.
      if (volume.state !== "removing") {
        refuseInUse(volume, await store.loadWorld(), force);
        await store.giveUpVolume(volume, changeRequest(request, context), clock.now());
        wake(`volume ${mountKey(volume)} is given up`);
      }
      return { volumes: (await list({ owner })).filter(one => one.name === name) };
    },
  };
}

/** A node by id or hostname; one that was removed for good is known by its volumes. */
function nodeOf(nodes: readonly NodeRecord[], known: readonly Volume[], called: string): string {
  return known.some(one => one.nodeId === called) ? called : findNode(nodes, called).node.id;
}

/**
 * The volume that is meant: the only one that is kept, or the one of the node and the serial that
 * were named.
 */
function chosen(known: readonly Volume[], nodeId: string | undefined, serial: number, called: string): Volume {
  const there = known.filter(one => (nodeId ?? one.nodeId) === one.nodeId && [0, one.serial].includes(serial));
  const kept = there.filter(one => one.state === "kept");
  const some = [kept, there.filter(one => one.state === "left"), there].find(list => list.length > 0) ?? [];
  const [volume, other] = some;
  if (volume === undefined)
    throw new SkepError(
      "not_found",
      "VOLUME_NOT_FOUND",
      `There is no volume ${called}${serial === 0 ? "" : ` of serial ${serial}`}${nodeId === undefined ? "" : " on that node"}. List volumes to see which there are.`,
    );
  if (other !== undefined && volume.state !== "removing")
    throw new SkepError("failed_precondition", "VOLUME_AMBIGUOUS", ambiguity(some, called));
  return volume;
}

function ambiguity(kept: readonly Volume[], called: string): string {
  const nodes = [...new Set(kept.map(one => one.nodeId))];
  if (nodes.length > 1) return `${nodes.length} nodes have a volume ${called}. Name the node: ${nodes.join(", ")}.`;
  const serials = kept.map(one => one.serial).join(", ");
  return `${nodes[0]} has ${kept.length} volumes ${called}. Name the serial: ${serials}; the list shows which is in use.`;
}

/**
 * @throws SkepError `failed_precondition`: an instance mounts it, or its node is away and nobody
 * said `force`.
 */
function refuseInUse(volume: Volume, world: World, force: boolean): void {
  const { name, nodeId } = volume;
  const node = world.nodes.find(one => one.id === nodeId);
  const isAway = node === undefined || node.liveness === "down";
  const users = usersOf(volume, world);
  if (!isAway && users.length > 0) {
    const deployments = [...new Set(users.map(one => one.deploymentId))].join(", ");
    throw new SkepError(
      "failed_precondition",
      "VOLUME_IN_USE",
      `${users.map(one => one.instanceId).join(", ")} on ${node.hostname} mounts the volume ${name}. Stop or remove ${deployments} first.`,
    );
  }
  // What was left behind already waits for nobody.
  if (isAway && !force && volume.state === "kept")
    throw new SkepError(
      "failed_precondition",
      "VOLUME_NODE_AWAY",
      `The node ${node?.hostname ?? nodeId}, which has the volume ${mountKey(volume)}, is away. If it is lost for ever, ` +
        "say `force`: what waits for it starts anew and empty elsewhere, and the data is removed should the node return.",
    );
}

interface User {
  readonly instanceId: string;
  readonly deploymentId: string;
}

/** The instances that are on the volume's node and mount it. */
function usersOf(volume: Volume, world: World): readonly User[] {
  const { tenantId, nodeId } = volume;
  const key = mountKey(volume);
  const here = world.volumes.filter(
    one => mountKey(one) === key && one.nodeId === nodeId && (one.state === "kept" || one.serial === volume.serial),
  );
  const isSpare = here.some(one => one.serial !== volume.serial);
  if (isSpare && !mountedVolumes(here).some(one => one.serial === volume.serial)) return [];
  const releases = new Map(world.releases.map(one => [`${one.deploymentId} ${one.number}`, one.spec]));
  const users = new Map<string, User>();
  for (const location of world.locations) {
    if (location.tenantId !== tenantId || location.nodeId !== nodeId || !isLive(location)) continue;
    const spec = releases.get(`${location.deploymentId} ${location.release}`);
    // Of a release that is not recorded nobody can tell what it mounts.
    if (spec === undefined ? location.deploymentId === volume.owner : mountsIt(tenantId, spec, key))
      users.set(location.instanceId, { instanceId: location.instanceId, deploymentId: location.deploymentId });
  }
  return [...users.values()].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
}

function mountsIt(tenantId: string, spec: World["releases"][number]["spec"], key: string): boolean {
  return volumesOf(tenantId, spec).some(one => mountKey(one) === key);
}

/** The deployments that are recorded and mount such a volume, by the release they want. */
export function mountingOf(volume: Volume, world: World): readonly string[] {
  const { tenantId } = volume;
  const key = mountKey(volume);
  const wanted = new Map(
    world.deployments
      .filter(one => one.tenantId === tenantId && one.desired !== "deleted")
      .map(one => [one.id, one.release]),
  );
  const mounting = world.releases.filter(
    one => wanted.get(one.deploymentId) === one.number && mountsIt(tenantId, one.spec, key),
  );
  return mounting.map(one => one.deploymentId).sort();
}

function volumeToProto(
  volume: Volume,
  world: World,
  node: NodeRecord | undefined,
): MessageInitShape<typeof VolumeSchema> {
  const { tenantId, owner, name, nodeId, serial, state, createdAt, usedAt } = volume;
  return {
    ...{ tenantId, owner, name, nodeId, nodeHostname: node?.node.hostname ?? nodeId, serial: toUint64(serial) },
    state: volumeStates.toProto(state),
    createdAt: timestampFromMs(createdAt),
    // Absent where it is unknown: a node showed it after the database was restored.
    ...(usedAt === 0 ? {} : { usedAt: timestampFromMs(usedAt) }),
    instanceIds: state === "kept" ? usersOf(volume, world).map(one => one.instanceId) : [],
    nodeGone: node === undefined || node.swarmState === "removed",
    deploymentIds: [...mountingOf(volume, world)],
  };
}
