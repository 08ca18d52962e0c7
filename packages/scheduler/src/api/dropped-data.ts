import type { Connector, WorkspaceId } from "@skep/core/workspace/connector.ts";
import { podId } from "@skep/core/workspace/pod.ts";
import type { Store } from "../store/store.ts";

/** A workspace that was just dropped. */
export interface Dropped {
  readonly id: WorkspaceId;
  readonly tenantId: string;
  readonly connector: Connector;
  readonly removesData: boolean;
}

/** What becomes of the data of a dropped workspace, a sentence each. */
export async function droppedData(
  store: Pick<Store, "listVolumes" | "listNodes">,
  { id, tenantId, connector, removesData }: Dropped,
): Promise<string[]> {
  const { type, specs } = connector.config.resources;
  const deploymentId = podId(tenantId, id);
  const volumes = (await store.listVolumes({ owner: deploymentId })).filter(one => one.state !== "removing");
  const hostnames = new Map((await store.listNodes()).map(({ node }) => [node.id, node.hostname]));
  const onNodes = [...Map.groupBy(volumes, one => one.nodeId)].map(([nodeId, held]) => {
    const names = [...new Set(held.map(one => one.name))].join(", ");
    const node = hostnames.get(nodeId) ?? nodeId;
    return removesData
      ? `${node} removes the volumes ${names} of its pod once that is gone; where it is away, once it is back.`
      : `The volumes ${names} of its pod stay on ${node}, for a standalone workspace of this id and tenant; ` +
          `drop it with its data now, or remove one by skep volume rm ${deploymentId}/NAME.`;
  });
  const own = [
    ...(specs.database.url === undefined ? [] : ["Its database is the tenant's own, and stays as it is."]),
    ...(specs.files === undefined ? [] : ["Its S3 server is the tenant's own, and its files there stay."]),
  ];
  if (removesData)
    return ["A shared host removes what shared hosts keep of its database and files.", ...onNodes, ...own];
  const shared =
    "Its database and its files stay, for a workspace of this id and tenant; drop it with its data now as well.";
  return [...(type === "shared" ? [shared] : []), ...onNodes, ...own];
}
