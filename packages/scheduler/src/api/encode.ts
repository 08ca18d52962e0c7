import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { capacityToProto } from "@skep/api/codec/capacity.ts";
import { containerStatusToProto, portToProto, refusalToProto } from "@skep/api/codec/instance.ts";
import { toUint32, toUint64 } from "@skep/api/codec/number.ts";
import { specToProto } from "@skep/api/codec/spec.ts";
import {
  availabilities,
  balancings,
  deploymentDesires,
  healths,
  instanceDesires,
  instanceStates,
  livenesses,
  nodeRoles,
  routeKinds,
} from "@skep/api/codec/words.ts";
import type { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { InstanceSchema, LocationSchema } from "@skep/api/gen/skep/v1/instance_pb.ts";
import type { NodeSchema } from "@skep/api/gen/skep/v1/node_pb.ts";
import type { RouteSchema } from "@skep/api/gen/skep/v1/routing_pb.ts";
import { withoutSecrets } from "@skep/core/workspace/pod-spec.ts";
import { currentOf } from "@skep/core/model/state.ts";
import type { Location } from "@skep/core/model/instance.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { NodeRecord } from "../store/store.ts";
import { deploymentStatus } from "@skep/core/deployment/status.ts";
import type { InstanceRecord } from "@skep/core/model/instance.ts";
import type { Lookups } from "./lookups.ts";

/** A deployment with its spec, and how far its instances are. */
export function deploymentToProto(
  record: DeploymentRecord,
  instances: readonly InstanceRecord[],
  lookups: Lookups,
): MessageInitShape<typeof DeploymentSchema> {
  const { deployment, release } = record;
  const { troubles, ...status } = deploymentStatus(record, instances, id => lookups.node(id)?.hostname ?? id);
  return {
    id: deployment.id,
    tenantId: deployment.tenantId,
    name: deployment.name,
    desired: deploymentDesires.toProto(deployment.desired),
    replicas: deployment.replicas,
    release: deployment.release,
    resourceVersion: toUint64(deployment.resourceVersion),
    createdAt: timestampFromMs(deployment.createdAt),
    spec: specToProto(withoutSecrets(deployment.id, release.spec)),
    status: {
      ...status,
      troubles: troubles.map(({ refusal, ...trouble }) => ({
        ...trouble,
        ...(refusal === undefined ? {} : { refusal: refusalToProto(refusal) }),
      })),
    },
    domains: [...lookups.domains(deployment.id)],
  };
}

/** An instance with its locations, newest first. */
export function instanceToProto(record: InstanceRecord, lookups: Lookups): MessageInitShape<typeof InstanceSchema> {
  const { instance, locations } = record;
  const current = currentOf(record.instance, record.locations);
  return {
    id: instance.id,
    tenantId: instance.tenantId,
    deploymentId: instance.deploymentId,
    release: instance.release,
    slot: instance.slot,
    epoch: instance.epoch,
    desired: instanceDesires.toProto(instance.desired),
    state: instanceStates.toProto(current?.state ?? "pending"),
    health: healths.toProto(current?.health ?? "none"),
    nodeId: current?.nodeId ?? "",
    hostname: current === undefined ? "" : (lookups.node(current.nodeId)?.hostname ?? current.nodeId),
    message: current?.message ?? "",
    ...(instance.refusal === undefined ? {} : { refusal: refusalToProto(instance.refusal) }),
    ...(instance.retryAt === undefined ? {} : { retryAt: timestampFromMs(instance.retryAt) }),
    createdAt: timestampFromMs(instance.createdAt),
    locations: locations.toSorted((a, b) => b.epoch - a.epoch).map(location => locationToProto(location, lookups)),
  };
}

/** The record of where an instance runs. */
export function locationToProto(location: Location, lookups: Lookups): MessageInitShape<typeof LocationSchema> {
  const node = lookups.node(location.nodeId);
  const usage = lookups.usage(location.instanceId, location.epoch);
  return {
    deploymentId: location.deploymentId,
    instanceId: location.instanceId,
    tenantId: location.tenantId,
    nodeId: location.nodeId,
    hostname: node?.hostname ?? location.nodeId,
    address: node?.address ?? "",
    epoch: location.epoch,
    release: location.release,
    desired: instanceDesires.toProto(location.desired),
    status: instanceStates.toProto(location.state),
    healthStatus: healths.toProto(location.health),
    containerIds: location.containers.map(container => container.id),
    containers: location.containers.map(containerStatusToProto),
    ports: location.ports.map(portToProto),
    domain: lookups.domains(location.deploymentId)[0] ?? "",
    ...(usage === undefined
      ? {}
      : { resourceUsage: { cpuMillis: toUint32(usage.cpuMillis), memoryBytes: toUint64(usage.memoryBytes) } }),
    message: location.message,
    changedAt: timestampFromMs(location.changedAt),
    instanceAddress: location.address ?? "",
  };
}

/** A node with what only lists show. */
export function nodeToProto({ node, seenAt, instances, swarmState }: NodeRecord): MessageInitShape<typeof NodeSchema> {
  return {
    id: node.id,
    hostname: node.hostname,
    address: node.address,
    role: nodeRoles.toProto(node.role),
    availability: availabilities.toProto(node.availability),
    liveness: livenesses.toProto(node.liveness),
    labels: { ...node.labels },
    engineLabels: { ...node.engineLabels },
    os: node.os,
    architecture: node.architecture,
    engineVersion: node.engineVersion,
    capacity: capacityToProto(node.capacity),
    ...(node.load === undefined ? {} : { load: { ...node.load } }),
    instances,
    ...(seenAt === undefined ? {} : { seenAt: timestampFromMs(seenAt) }),
    swarmState,
    block: node.block ?? "",
  };
}

/** A route with the live instances that get its requests right now. */
export function routeToProto(
  route: Route,
  servers: readonly Location[],
  lookups: Lookups,
  sharedWith: readonly string[] = [],
): MessageInitShape<typeof RouteSchema> {
  return {
    sharedWith: [...sharedWith],
    release: route.release,
    deploymentId: route.deploymentId,
    tenantId: route.tenantId,
    router: route.router,
    kind: routeKinds.toProto(route.kind),
    domain: route.domain,
    path: route.path,
    rule: route.rule,
    entryPoints: [...route.entryPoints],
    priority: route.priority === undefined ? undefined : BigInt(route.priority),
    container: route.container,
    targetPort: route.targetPort,
    tls: route.tls,
    weight: toUint32(route.weight),
    loadBalancerAlgorithm: balancings.toProto(route.balancing),
    middlewares: route.middlewares.map(({ name, options }) => ({ name, options: options as JsonObject })),
    service: route.service as JsonObject,
    servers: servers.flatMap(location => {
      const port = location.ports.find(
        ({ container, containerPort }) => container === route.container && containerPort === route.targetPort,
      );
      const address = lookups.node(location.nodeId)?.address;
      if (port === undefined || address === undefined) return [];
      return [{ instanceId: location.instanceId, nodeId: location.nodeId, address, port: port.hostPort }];
    }),
  };
}
