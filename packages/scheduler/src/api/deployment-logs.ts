import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StreamLogsRequest, StreamLogsResponse } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { ApiDeps } from "./deps.ts";
import { currentLocation } from "./deployment-status.ts";
import { findDeployment } from "./deployment-read.ts";
import { findInstance } from "./instance-read.ts";
import { readAll } from "./lookups.ts";
import { mergeLogs } from "./logs.ts";

const DEFAULT_TAIL = 100;

/** What the containers of a deployment, or of one instance, printed: asked of the agents that run them. */
export async function* streamLogs(
  deps: ApiDeps,
  request: StreamLogsRequest,
  signal: AbortSignal,
): AsyncGenerator<StreamLogsResponse> {
  const { release } = await findDeployment(deps.store, request.deploymentId);
  const containers = release.spec.containers.map(container => container.name);
  if (request.container !== "" && !containers.includes(request.container))
    throw new SkepError(
      "not_found",
      "CONTAINER_NOT_FOUND",
      `${request.deploymentId} has no container ${request.container}. It has: ${containers.join(", ")}.`,
    );
  const [locations, nodes] = await Promise.all([locationsOf(deps, request), deps.store.listNodes()]);
  const hostnames = new Map(nodes.map(({ node }) => [node.id, node.hostname]));
  const wanted = {
    container: request.container === "" ? undefined : request.container,
    tail: request.tail ?? DEFAULT_TAIL,
    follow: request.follow,
    since: request.since === undefined ? undefined : timestampMs(request.since),
  };
  yield* mergeLogs(deps, locations, nodeId => hostnames.get(nodeId) ?? nodeId, wanted, signal);
}

async function locationsOf({ store }: ApiDeps, request: StreamLogsRequest): Promise<readonly Location[]> {
  const { deploymentId, instanceId } = request;
  const records =
    instanceId === ""
      ? await readAll(page => store.listInstances({ deploymentId }, page))
      : [await findInstance(store, instanceId)];
  return records.flatMap(record => currentLocation(record) ?? []);
}
