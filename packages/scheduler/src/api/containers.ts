import type { ServiceImpl } from "@connectrpc/connect";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import type { ContainerService, UpdateContainerResourcesRequest } from "@skep/api/gen/skep/v1/container_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { limitsOf } from "@skep/core/workspace/connector.ts";
import { containerStatus } from "@skep/core/workspace/container.ts";
import type { WantedResources } from "@skep/core/workspace/resources.ts";
import { changeRequest } from "./caller.ts";
import {
  encodeConnections,
  encodeDiagnosis,
  encodeStatus,
  encodeWorkspace,
  findContainer,
  located,
  reported,
} from "./container-read.ts";
import type { ApiDeps } from "./deps.ts";

/** The containers of workspaces, as they run. */
export function containerHandlers(deps: ApiDeps): ServiceImpl<typeof ContainerService> {
  const { store, clock } = deps;
  return {
    getContainerStatus: async ({ containerId }) => {
      const record = await store.getWorkspace(containerId);
      const seen = record === undefined ? undefined : (await located(store, record)).seen;
      return encodeStatus(containerStatus(record, seen, clock.now()));
    },
    updateContainerResources: async (request, context) => {
      const { containerId, resourceVersion } = request;
      const resources = wantedOf(request);
      const expected = resourceVersion === undefined ? undefined : fromUint64(resourceVersion, "resource_version");
      const by = changeRequest(request, context);
      const record = await store.changeWorkspace(containerId, { resources }, expected, by, clock.now());
      deps.wake(`workspace ${record.id}: its bounds changed`);
      return {
        database: { poolSize: record.databasePool, maxSize: record.connector.config.resources.specs.database.size },
        ratelimits: limitsOf(record.connector),
        resourceVersion: toUint64(record.version),
      };
    },
    restartContainer: async (request, context) => {
      const by = changeRequest(request, context);
      const record = await store.changeWorkspace(request.containerId, { restart: true }, undefined, by, clock.now());
      deps.wake(`workspace ${record.id}: restart`);
      return { restarts: toUint64(record.restarts) };
    },
    getContainerMetrics: async ({ containerId, period }) => {
      const { record, seen } = await findContainer(store, containerId);
      const { resources, notKnown, reportedAt } = containerStatus(record, seen, clock.now());
      const wanted = period === "" ? "1h" : period;
      return {
        ...{ period: wanted, current: { ...resources } },
        notKnown: [...notKnown, `how it was over the last ${wanted}: no numbers are kept, these are the last ones`],
        ...reported(reportedAt),
      };
    },
    getContainerDiagnostics: async ({ containerId }) =>
      encodeDiagnosis(await findContainer(store, containerId), clock.now()),
    listContainerConnections: async ({ containerId }) => encodeConnections(await findContainer(store, containerId)),
    getContainerReport: async ({ containerId }) => {
      const container = await findContainer(store, containerId);
      const now = clock.now();
      return {
        at: timestampFromMs(now),
        workspace: encodeWorkspace(container),
        status: encodeStatus(containerStatus(container.record, container.seen, now)),
        diagnostics: encodeDiagnosis(container, now),
        connections: encodeConnections(container),
      };
    },
  };
}

/** The bounds that a request names. @throws SkepError `invalid_argument` `RESOURCES_UNSAID`. */
function wantedOf({ database, ratelimits, ratelimit }: UpdateContainerResourcesRequest): WantedResources {
  const { sockets, events, channels } = ratelimits ?? ratelimit ?? {};
  const { poolSize, maxSize } = database ?? {};
  if ([poolSize, maxSize, sockets, events, channels].every(one => one === undefined)) throw unsaid();
  return { poolSize, maxSize, limits: { sockets, events, channels } };
}

function unsaid(): SkepError {
  const message = "The request names no bound: send database.poolSize, database.maxSize or ratelimits.";
  return new SkepError("invalid_argument", "RESOURCES_UNSAID", message);
}
