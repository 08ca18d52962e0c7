import type { ServiceImpl } from "@connectrpc/connect";
import type { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { principalKey } from "@skep/server/auth.ts";
import type { InstanceFilter } from "../store/store.ts";
import type { ApiDeps } from "./deps.ts";
import { execInstance } from "./instance-exec.ts";
import { findInstance } from "./instance-read.ts";
import { instanceToProto, locationToProto } from "./encode.ts";
import { loadLookups, pageRequest } from "./lookups.ts";
import { filteredNode } from "./nodes.ts";

/** Instances and the records of where they run. */
export function instanceHandlers(deps: ApiDeps): ServiceImpl<typeof InstanceService> {
  const { store } = deps;
  return {
    listInstances: async asked => {
      const request = { ...asked, nodeId: await filteredNode(store, asked.nodeId) };
      const { items, nextToken } = await store.listInstances(filterOf(request), pageRequest(request));
      const lookups = await loadLookups(store, routesOf(request), items);
      return { instances: items.map(item => instanceToProto(item, lookups)), nextPageToken: nextToken ?? "" };
    },
    getInstance: async ({ instanceId }) => {
      const found = await findInstance(store, instanceId);
      const lookups = await loadLookups(store, { deploymentId: found.instance.deploymentId }, [found]);
      return { instance: instanceToProto(found, lookups) };
    },
    listLocations: async asked => {
      const request = { ...asked, nodeId: await filteredNode(store, asked.nodeId) };
      const { items, nextToken } = await store.listInstances(filterOf(request), pageRequest(request));
      const lookups = await loadLookups(store, routesOf(request), items);
      const locations = items
        .flatMap(item => item.locations.toSorted((a, b) => b.epoch - a.epoch))
        .filter(location => request.nodeId === "" || location.nodeId === request.nodeId);
      return {
        locations: locations.map(location => locationToProto(location, lookups)),
        nextPageToken: nextToken ?? "",
      };
    },
    execInstance: (request, context) =>
      execInstance(deps, request, context.values.get(principalKey).name, context.signal),
  };
}

interface Filters {
  readonly tenantId: string;
  readonly deploymentId: string;
  readonly nodeId: string;
}

function filterOf(request: Filters): InstanceFilter {
  return {
    ...(request.tenantId === "" ? {} : { tenantId: request.tenantId }),
    ...(request.deploymentId === "" ? {} : { deploymentId: request.deploymentId }),
    ...(request.nodeId === "" ? {} : { nodeId: request.nodeId }),
  };
}

function routesOf(request: Filters): { tenantId?: string; deploymentId?: string } {
  const { nodeId: _, ...filter } = filterOf(request);
  return filter;
}
