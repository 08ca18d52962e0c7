import {
  containersFromStored,
  labelsFromStored,
  portsFromStored,
  refusalFromStored,
  routeFromStored,
} from "@skep/api/codec/stored/columns.ts";
import { specFromStored } from "@skep/api/codec/stored/spec.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import type { Deployment, Release } from "@skep/core/model/deployment.ts";
import type { Instance, Location, ReleasedPort } from "@skep/core/model/instance.ts";
import type { Node, NodeLoad } from "@skep/core/model/node.ts";
import type { Route } from "@skep/core/model/routing.ts";
import type { Tenant } from "@skep/core/model/tenant.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeRecord } from "../store.ts";
import type {
  DecisionRow,
  DeploymentRow,
  InstanceRow,
  LocationRow,
  NodeRow,
  ReleasedPortRow,
  ReleaseRow,
  RouteRow,
  TenantRow,
  VolumeRow,
} from "./tables.ts";

/** A tenant out of its row. */
export function toTenant(row: TenantRow): Tenant {
  return {
    id: row.id,
    quota: {
      instances: row.quota_instances ?? undefined,
      cpuMillis: row.quota_cpu_millis ?? undefined,
      memoryBytes: row.quota_memory_bytes ?? undefined,
    },
  };
}

/** A deployment out of its row. */
export function toDeployment(row: DeploymentRow): Deployment {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    name: row.name,
    desired: row.desired,
    replicas: row.replicas,
    release: row.release,
    resourceVersion: row.resource_version,
    nextSerial: row.next_serial,
    createdAt: row.created_at,
  };
}

/** A release out of its row. */
export function toRelease(row: ReleaseRow): Release {
  return { deploymentId: row.deployment_id, number: row.number, spec: specFromStored(row.spec) };
}

/** An instance out of its row. */
export function toInstance(row: InstanceRow): Instance {
  return {
    id: row.id,
    tenantId: row.tenant_id,
    deploymentId: row.deployment_id,
    release: row.release,
    slot: row.slot,
    epoch: row.epoch,
    desired: row.desired,
    createdAt: row.created_at,
    refusal: refusalFromStored(row.refusal),
    retryAt: row.retry_at ?? undefined,
  };
}

/** A location out of its row. */
export function toLocation(row: LocationRow): Location {
  return {
    instanceId: row.instance_id,
    deploymentId: row.deployment_id,
    tenantId: row.tenant_id,
    release: row.release,
    epoch: row.epoch,
    nodeId: row.node_id,
    desired: row.desired,
    desiredAt: row.desired_at,
    ports: portsFromStored(row.ports),
    state: row.status,
    health: row.health_status,
    containers: containersFromStored(row.containers),
    message: row.message,
    changedAt: row.changed_at,
    ...(row.address === null ? {} : { address: row.address }),
  };
}

/** A port in quarantine out of its row. */
export function toReleasedPort(row: ReleasedPortRow): ReleasedPort {
  return {
    nodeId: row.node_id,
    protocol: row.protocol,
    hostPort: row.host_port,
    deploymentId: row.deployment_id,
    freeAt: row.free_at,
  };
}

/** A node out of its row. */
export function toNode(row: NodeRow): Node {
  return {
    id: row.node_id,
    hostname: row.hostname,
    address: row.address,
    role: row.role,
    availability: row.availability,
    liveness: row.liveness,
    labels: labelsFromStored(row.labels),
    engineLabels: labelsFromStored(row.engine_labels),
    os: row.os,
    architecture: row.architecture,
    engineVersion: row.engine_version,
    capacity: {
      cpuMillis: row.cpu_millis,
      memoryBytes: row.memory_bytes,
      instances: row.max_instances,
      portFrom: row.port_from,
      portTo: row.port_to,
    },
    load: toLoad(row),
    lastPlaced: row.last_placed,
    assignmentRevision: row.assignment_revision,
    assignmentStamps: row.assignment_stamps,
    ...(row.block === null ? {} : { block: row.block }),
    ...(row.reported_block === null ? {} : { reportedBlock: row.reported_block }),
  };
}

function toLoad(row: NodeRow): NodeLoad | undefined {
  if (row.cpu_share === null || row.memory_share === null) return undefined;
  return { cpuShare: row.cpu_share, memoryShare: row.memory_share };
}

/** A node for lists out of its row. */
export function toNodeRecord(row: NodeRow): NodeRecord {
  return {
    node: toNode(row),
    seenAt: row.seen_at ?? undefined,
    instances: row.deployment_count,
    swarmState: row.swarm_state,
  };
}

/** A route out of its row. */
export function toRoute(row: RouteRow): Route {
  return {
    deploymentId: row.deployment_id,
    tenantId: row.tenant_id,
    release: row.release,
    router: row.router,
    kind: row.kind,
    domain: row.domain,
    path: row.path,
    rule: row.rule,
    ...routeFromStored(row),
    priority: row.priority ?? undefined,
    container: row.container,
    targetPort: row.target_port,
    tls: row.ssl_enabled,
    weight: row.weight,
    balancing: row.load_balancer_algo,
  };
}

/** The row of a route of a release, for a JSON record set. */
export function fromRoute(route: Route, release: number): RouteRow {
  return {
    deployment_id: route.deploymentId,
    tenant_id: route.tenantId,
    release,
    router: route.router,
    kind: route.kind,
    domain: route.domain,
    path: route.path,
    rule: route.rule,
    entry_points: route.entryPoints,
    priority: route.priority ?? null,
    container: route.container,
    target_port: route.targetPort,
    ssl_enabled: route.tls,
    weight: route.weight,
    load_balancer_algo: route.balancing,
    middlewares: route.middlewares,
    service: route.service,
  };
}

/** A volume out of its row. */
export function toVolume(row: VolumeRow): Volume {
  return {
    tenantId: row.tenant_id,
    owner: row.owner,
    name: row.name,
    serial: row.serial,
    nodeId: row.node_id,
    createdAt: row.created_at,
    usedAt: row.used_at,
    state: row.state,
  };
}

/** A decision out of its row. */
export function toDecision(row: DecisionRow): Decision {
  return {
    at: row.at,
    kind: row.kind,
    tenantId: row.tenant_id ?? undefined,
    deploymentId: row.deployment_id ?? undefined,
    instanceId: row.instance_id ?? undefined,
    nodeId: row.node_id ?? undefined,
    epoch: row.epoch ?? undefined,
    sentence: row.sentence,
  };
}
