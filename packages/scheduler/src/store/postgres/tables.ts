import type { Unrecovered } from "@skep/core/identity/platform-identity.ts";
import type { Health, InstanceState } from "@skep/core/model/instance.ts";
import type { Availability, Liveness } from "@skep/core/model/node.ts";
import type { Balancing } from "@skep/core/model/routing.ts";

/** A row of `tenants`. */
export interface TenantRow {
  id: string;
  quota_instances: number | null;
  quota_cpu_millis: number | null;
  quota_memory_bytes: number | null;
}

/** A row of `deployments`. */
export interface DeploymentRow {
  id: string;
  tenant_id: string;
  name: string;
  desired: "run" | "stopped" | "deleted";
  replicas: number;
  release: number;
  resource_version: number;
  next_serial: number;
  created_at: number;
}

/** A row of `releases`; the two sums are those of one replica, for quotas. */
export interface ReleaseRow {
  deployment_id: string;
  number: number;
  /** See api's `codec/stored/spec.ts`. */
  spec: unknown;
}

/** A row of `deployment_routing`. */
export interface RouteRow {
  deployment_id: string;
  tenant_id: string;
  release: number;
  router: string;
  kind: "http" | "tcp";
  domain: string;
  path: string;
  rule: string;
  entry_points: unknown;
  priority: number | null;
  container: string;
  target_port: number;
  ssl_enabled: boolean;
  weight: number;
  load_balancer_algo: Balancing;
  middlewares: unknown;
  service: unknown;
}

/** A row of `released_ports`. */
export interface ReleasedPortRow {
  node_id: string;
  host_port: number;
  protocol: "tcp" | "udp";
  deployment_id: string;
  free_at: number;
}

/** A row of `instances`. */
export interface InstanceRow {
  id: string;
  tenant_id: string;
  deployment_id: string;
  release: number;
  slot: number;
  epoch: number;
  desired: "run" | "stop";
  created_at: number;
  refusal: unknown;
  retry_at: number | null;
}

/** A row of `deployment_locations`, without what the database derives. */
export interface LocationRow {
  instance_id: string;
  epoch: number;
  deployment_id: string;
  tenant_id: string;
  release: number;
  node_id: string;
  desired: "run" | "retire" | "stop";
  desired_at: number;
  status: InstanceState;
  health_status: Health;
  containers: unknown;
  ports: unknown;
  message: string;
  changed_at: number;
  address: string | null;
}

/** A row of `node_metadata`, without the agent's session. */
export interface NodeRow {
  node_id: string;
  hostname: string;
  address: string;
  role: "manager" | "worker";
  availability: Availability;
  swarm_state: string;
  labels: unknown;
  engine_labels: unknown;
  os: string;
  architecture: string;
  engine_version: string;
  cpu_millis: number;
  memory_bytes: number;
  max_instances: number;
  port_from: number;
  port_to: number;
  seen_at: number | null;
  cpu_share: number | null;
  memory_share: number | null;
  liveness: Liveness;
  last_placed: number;
  assignment_revision: number;
  assignment_stamps: number[];
  deployment_count: number;
  block: string | null;
  reported_block: string | null;
}

/** A row of `volumes`. */
export interface VolumeRow {
  id: string;
  tenant_id: string;
  owner: string;
  name: string;
  serial: number;
  node_id: string;
  created_at: number;
  used_at: number;
  state: "kept" | "left" | "removing";
}

/** A row of `workspaces`; its JSON is of api's `codec/stored/workspace.ts`. */
export interface WorkspaceRow {
  id: string;
  tenant_id: string;
  connector: unknown;
  purpose: unknown;
  mode: "shared" | "standalone";
  strategy: "least-loaded" | "round-robin";
  desired: "run" | "stopped" | "deleted";
  database_pool: number;
  scaling: unknown;
  restarts: number;
  epoch: number;
  waiting: string;
  pod_problem: string;
  version: number;
  created_at: number;
  updated_at: number;
  rules_version: number;
  data: "keep" | "remove" | "removed";
  instances: number;
  scaled_at: number | null;
}

/** A row of `workspace_rules`; its JSON is of api's `codec/stored/rule.ts`. */
export interface RuleRow {
  workspace_id: string;
  kind: "rule" | "schema";
  reference: string;
  version: number;
  document: unknown;
  created_at: number;
  created_by: string;
}

/** A row of `devices`. */
export interface DeviceRow {
  workspace_id: string;
  device_id: string;
  digest: string;
  enabled: boolean;
  version: number;
  created_at: number;
  created_by: string;
  seen_at: number | null;
  denied: number;
  denied_at: number | null;
  denied_topic: string;
}

/** A row of `decisions`. */
export interface DecisionRow {
  id: number;
  at: number;
  kind: string;
  tenant_id: string | null;
  deployment_id: string | null;
  instance_id: string | null;
  node_id: string | null;
  epoch: number | null;
  sentence: string;
}

/** The one row of `platform`. */
export interface PlatformRow {
  incarnation: string;
  succeeds: readonly string[];
  serial_floor: number;
  unrecovered: Unrecovered | null;
  receipt_key: string;
}

/** The tables as kysely's typed queries see them; statements on hot paths are plain SQL. */
export interface Tables {
  tenants: TenantRow;
  deployments: DeploymentRow;
  releases: ReleaseRow;
  deployment_routing: RouteRow;
  instances: InstanceRow;
  deployment_locations: LocationRow;
  node_metadata: NodeRow;
  decisions: DecisionRow;
}

/** Columns of `deployment_locations` that make a `LocationRow`. */
export const LOCATION_COLUMNS = [
  "instance_id",
  "epoch",
  "deployment_id",
  "tenant_id",
  "release",
  "node_id",
  "desired",
  "desired_at",
  "status",
  "health_status",
  "containers",
  "ports",
  "message",
  "changed_at",
  "address",
] as const satisfies readonly (keyof LocationRow)[];

/** Columns of `node_metadata` that make a `NodeRow`. */
export const NODE_COLUMNS = [
  "node_id",
  "hostname",
  "address",
  "role",
  "availability",
  "swarm_state",
  "labels",
  "engine_labels",
  "os",
  "architecture",
  "engine_version",
  "cpu_millis",
  "memory_bytes",
  "max_instances",
  "port_from",
  "port_to",
  "seen_at",
  "cpu_share",
  "memory_share",
  "liveness",
  "last_placed",
  "assignment_revision",
  "assignment_stamps",
  "deployment_count",
  "block",
  "reported_block",
] as const satisfies readonly (keyof NodeRow)[];
