import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StreamLogsRequest, StreamLogsResponse } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { ApiDeps } from "./deps.ts";
import { currentOf } from "@skep/core/model/state.ts";
import { findDeployment } from "./deployment-read.ts";
import { findInstance } from "./instance-read.ts";
import { readAll } from "./lookups.ts";
import { mergeLogs } from "./logs.ts";

const DEFAULT_TAIL = 100;
/** How often a follower looks for new instances, and for containers that were started again. */
const LOOK_MS = 1_000;

/**
 * What the containers of a deployment, or of one instance, printed: asked of the agents that run
 * them.
 */
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
  const nameOf = (nodeId: string): string => hostnames.get(nodeId) ?? nodeId;
  const newcomers = (over: AbortSignal): AsyncIterable<Location> => findNewcomers(deps, request, over);
  yield* mergeLogs(deps, locations, nameOf, wanted, signal, request.follow ? newcomers : undefined);
}

/**
 * Every so often each location that has lines to read, until the deployment, or the one instance
 * that is asked for, is gone: a deployment is followed through restarts, new releases and the loss
 * of nodes.
 */
async function* findNewcomers(
  deps: ApiDeps,
  request: StreamLogsRequest,
  signal: AbortSignal,
): AsyncGenerator<Location> {
  for (;;) {
    await deps.clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    try {
      const { release } = await findDeployment(deps.store, request.deploymentId);
      const found = await locationsOf(deps, request);
      yield* found.filter(location => hasLines(location, release.spec.containers.length));
    } catch (error) {
      if (error instanceof SkepError && error.code === "not_found") return;
      // The database is away: what is open goes on, and the next look finds the rest.
    }
  }
}

/**
 * Whether the agent has the containers. Those that are to end are read to their end, and not asked
 * anew.
 */
function hasLines({ desired, state, containers }: Location, wanted: number): boolean {
  if (desired === "stop") return false;
  return state === "running" || (state === "starting" && containers.length >= wanted);
}

async function locationsOf({ store }: ApiDeps, request: StreamLogsRequest): Promise<readonly Location[]> {
  const { deploymentId, instanceId } = request;
  const records =
    instanceId === ""
      ? await readAll(page => store.listInstances({ deploymentId }, page))
      : [await findInstance(store, instanceId)];
  return records.flatMap(record => currentOf(record.instance, record.locations) ?? []);
}
