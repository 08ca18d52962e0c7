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
import { mountedVolumes, volumeNames } from "@skep/core/model/volume.ts";
import type { World } from "@skep/core/world/world.ts";
import type { VolumeFilter } from "../store/store.ts";
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
    const hostnames = new Map(nodes.map(({ node }) => [node.id, node.hostname]));
    return volumes.map(volume => volumeToProto(volume, world, hostnames.get(volume.nodeId) ?? volume.nodeId));
  };
  return {
    listVolumes: async ({ tenantId, deploymentId }) => ({
      volumes: await list({
        ...(tenantId === "" ? {} : { tenantId }),
        ...(deploymentId === "" ? {} : { deploymentId }),
      }),
    }),
    deleteVolume: async (request, context) => {
      const { deploymentId, name, node, force, serial } = request;
      const nodeId = node === "" ? undefined : findNode(await store.listNodes(), node).node.id;
      const known = (await store.listVolumes({ deploymentId })).filter(one => one.name === name);
      const volume = chosen(known, nodeId, fromUint64(serial, "serial"), `${deploymentId}/${name}`);
      // One that is on its way out already is answered alike.
      if (volume.state === "kept") {
        refuseInUse(volume, await store.loadWorld(), force);
        await store.giveUpVolume(volume, changeRequest(request, context), clock.now());
        wake(`volume ${deploymentId}/${name} is given up`);
      }
      return { volumes: (await list({ deploymentId })).filter(one => one.name === name) };
    },
  };
}

/**
 * The volume that is meant: the only one that is kept, or the one of the node and the serial that
 * were named.
 */
function chosen(known: readonly Volume[], nodeId: string | undefined, serial: number, called: string): Volume {
  const there = known.filter(one => (nodeId ?? one.nodeId) === one.nodeId && [0, one.serial].includes(serial));
  const kept = there.filter(one => one.state === "kept");
  const [volume, other] = kept.length > 0 ? kept : there;
  if (volume === undefined)
    throw new SkepError(
      "not_found",
      "VOLUME_NOT_FOUND",
      `There is no volume ${called}${serial === 0 ? "" : ` of serial ${serial}`}${nodeId === undefined ? "" : " on that node"}. List volumes to see which there are.`,
    );
  if (other !== undefined && kept.length > 1)
    throw new SkepError("failed_precondition", "VOLUME_AMBIGUOUS", ambiguity(kept, called));
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
  const { deploymentId, name, nodeId } = volume;
  const node = world.nodes.find(one => one.id === nodeId);
  const isAway = node === undefined || node.liveness === "down";
  const users = usersOf(volume, world);
  if (!isAway && users.length > 0)
    throw new SkepError(
      "failed_precondition",
      "VOLUME_IN_USE",
      `${users.join(", ")} on ${node.hostname} mounts the volume ${name}. Stop or remove ${deploymentId} first.`,
    );
  if (isAway && !force)
    throw new SkepError(
      "failed_precondition",
      "VOLUME_NODE_AWAY",
      `The node ${node?.hostname ?? nodeId}, which has the volume ${name} of ${deploymentId}, is away. If it is lost for ever, ` +
        "say `force`: what waits for it starts anew and empty elsewhere, and the data is removed should the node return.",
    );
}

/** The instances that are on the volume's node and mount it. */
function usersOf(volume: Volume, world: World): readonly string[] {
  const { deploymentId, nodeId, name } = volume;
  const here = world.volumes.filter(
    one => one.deploymentId === deploymentId && one.nodeId === nodeId && one.state === "kept",
  );
  const isSpare = here.some(one => one.name === name && one.serial !== volume.serial);
  if (isSpare && !mountedVolumes(here).some(one => one.name === name && one.serial === volume.serial)) return [];
  const releases = new Map(world.releases.map(one => [`${one.deploymentId} ${one.number}`, one.spec]));
  const users = world.locations.filter(location => {
    if (location.deploymentId !== deploymentId || location.nodeId !== nodeId || !isLive(location)) return false;
    const spec = releases.get(`${deploymentId} ${location.release}`);
    return spec === undefined || volumeNames(spec).includes(name);
  });
  return [...new Set(users.map(one => one.instanceId))].sort();
}

function volumeToProto(volume: Volume, world: World, hostname: string): MessageInitShape<typeof VolumeSchema> {
  const { tenantId, deploymentId, name, nodeId, serial, state, createdAt, usedAt } = volume;
  return {
    ...{ tenantId, deploymentId, name, nodeId, nodeHostname: hostname, serial: toUint64(serial) },
    state: volumeStates.toProto(state),
    createdAt: timestampFromMs(createdAt),
    // Absent where it is unknown: a node showed it after the database was restored.
    ...(usedAt === 0 ? {} : { usedAt: timestampFromMs(usedAt) }),
    instanceIds: state === "kept" ? [...usersOf(volume, world)] : [],
    hasDeployment: world.deployments.some(one => one.id === deploymentId && one.desired !== "deleted"),
  };
}
