import type { AssignedInstance } from "@skep/core/model/assignment.ts";
import type { Volume } from "@skep/core/model/volume.ts";
import { VolumeState } from "../gen/skep/v1/volume_pb.ts";
import type {
  Dependency,
  Deployment,
  Mode as ModeWord,
  RestartPolicy,
  Strategy as StrategyWord,
  UpdatePolicy,
} from "@skep/core/model/deployment.ts";
import type {
  Health as HealthWord,
  InstanceState as StateWord,
  Location,
  PortBinding,
} from "@skep/core/model/instance.ts";
import type { Availability as AvailabilityWord, Liveness as LivenessWord, Node } from "@skep/core/model/node.ts";
import type { ProjectChange as ProjectChangeWord } from "@skep/core/project/project.ts";
import type { Balancing as BalancingWord, Route } from "@skep/core/model/routing.ts";
import { DeploymentDesired } from "../gen/skep/v1/deployment_pb.ts";
import { Health, InstanceDesired, InstanceState } from "../gen/skep/v1/instance_pb.ts";
import { Availability, Liveness, NodeRole } from "../gen/skep/v1/node_pb.ts";
import { ProjectChange } from "../gen/skep/v1/project_service_pb.ts";
import { Balancing, RouteKind } from "../gen/skep/v1/routing_pb.ts";
import {
  DependencyCondition,
  Mode,
  Protocol,
  RestartCondition,
  Strategy,
  UpdateOrder,
  VolumeMove,
} from "../gen/skep/v1/spec_pb.ts";
import { enumTable } from "./enum-table.ts";

/** Transport protocol of a port. */
export const protocols = enumTable<PortBinding["protocol"], Protocol>("protocol", {
  tcp: Protocol.TCP,
  udp: Protocol.UDP,
});

/** How a node is chosen. */
export const strategies = enumTable<StrategyWord, Strategy>("strategy", {
  "least-loaded": Strategy.LEAST_LOADED,
  "round-robin": Strategy.ROUND_ROBIN,
  "resource-based": Strategy.RESOURCE_BASED,
  spread: Strategy.SPREAD,
});

/** When a container is started again. */
export const restartConditions = enumTable<RestartPolicy["condition"], RestartCondition>("restart condition", {
  any: RestartCondition.ANY,
  "on-failure": RestartCondition.ON_FAILURE,
  none: RestartCondition.NONE,
});

/** How many instances there are, and whether they end. */
export const modes = enumTable<ModeWord, Mode>("mode", {
  replicated: Mode.REPLICATED,
  global: Mode.GLOBAL,
  "replicated-job": Mode.REPLICATED_JOB,
  "global-job": Mode.GLOBAL_JOB,
});

/** What is waited for of another deployment. */
export const dependencyConditions = enumTable<Dependency["condition"], DependencyCondition>("condition", {
  started: DependencyCondition.STARTED,
  healthy: DependencyCondition.HEALTHY,
  completed: DependencyCondition.COMPLETED,
});

/** Which of the old and the new instance comes first in an update. */
export const updateOrders = enumTable<UpdatePolicy["order"], UpdateOrder>("update order", {
  "start-first": UpdateOrder.START_FIRST,
  "stop-first": UpdateOrder.STOP_FIRST,
});

/** What is wanted of a deployment. */
export const deploymentDesires = enumTable<Deployment["desired"], DeploymentDesired>("desired state", {
  run: DeploymentDesired.RUN,
  stopped: DeploymentDesired.STOPPED,
  deleted: DeploymentDesired.DELETED,
});

/** What becomes of a deployment of a project. */
export const projectChanges = enumTable<ProjectChangeWord, ProjectChange>("change", {
  created: ProjectChange.CREATED,
  updated: ProjectChange.UPDATED,
  scaled: ProjectChange.SCALED,
  started: ProjectChange.STARTED,
  unchanged: ProjectChange.UNCHANGED,
  left: ProjectChange.LEFT,
  removed: ProjectChange.REMOVED,
});

/** What is wanted of an instance or a location. */
export const instanceDesires = enumTable<Location["desired"], InstanceDesired>("desired state", {
  run: InstanceDesired.RUN,
  retire: InstanceDesired.RETIRE,
  stop: InstanceDesired.STOP,
});

/** What a node is told of an instance. A retiring one still runs: only the routes differ. */
export const assignedDesires = enumTable<AssignedInstance["desired"], InstanceDesired>("desired state", {
  run: InstanceDesired.RUN,
  keep: InstanceDesired.KEEP,
  stop: InstanceDesired.STOP,
});

/** The life of an instance. */
export const instanceStates = enumTable<StateWord, InstanceState>("instance state", {
  pending: InstanceState.PENDING,
  assigned: InstanceState.ASSIGNED,
  preparing: InstanceState.PREPARING,
  starting: InstanceState.STARTING,
  running: InstanceState.RUNNING,
  stopping: InstanceState.STOPPING,
  stopped: InstanceState.STOPPED,
  completed: InstanceState.COMPLETED,
  failed: InstanceState.FAILED,
  lost: InstanceState.LOST,
});

/** What a probe says. */
export const healths = enumTable<HealthWord, Health>("health", {
  none: Health.NONE,
  starting: Health.STARTING,
  healthy: Health.HEALTHY,
  unhealthy: Health.UNHEALTHY,
});

/** What an operator asked of a node. */
export const availabilities = enumTable<AvailabilityWord, Availability>("availability", {
  active: Availability.ACTIVE,
  pause: Availability.PAUSE,
  drain: Availability.DRAIN,
});

/** The scheduler's verdict on an agent. */
export const livenesses = enumTable<LivenessWord, Liveness>("liveness", {
  unknown: Liveness.UNKNOWN,
  ready: Liveness.READY,
  suspect: Liveness.SUSPECT,
  down: Liveness.DOWN,
});

/** What a node is in its Swarm. */
export const nodeRoles = enumTable<Node["role"], NodeRole>("role", {
  manager: NodeRole.MANAGER,
  worker: NodeRole.WORKER,
});

/** What a route carries. */
export const routeKinds = enumTable<Route["kind"], RouteKind>("route kind", {
  http: RouteKind.HTTP,
  tcp: RouteKind.TCP,
});

/** What becomes of a volume. */
export const volumeStates = enumTable<Volume["state"], VolumeState>("volume state", {
  kept: VolumeState.KEPT,
  removing: VolumeState.REMOVING,
  left: VolumeState.LEFT,
});

/** What becomes of what mounts a volume while the volume's node is away. */
export const volumeMoves = enumTable<"wait" | "empty", VolumeMove>("volume move", {
  wait: VolumeMove.WAIT,
  empty: VolumeMove.EMPTY,
});

/** How a route balances. */
export const balancings = enumTable<BalancingWord, Balancing>("load balancer algorithm", {
  wrr: Balancing.WRR,
  p2c: Balancing.P2C,
});
