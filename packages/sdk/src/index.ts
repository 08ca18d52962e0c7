/** Everything that programs import; the one list of the package's public names. */
export { createClient, type ClientOptions, type SkepClient } from "./client.ts";
export { createAccess, type Access, type AccessOptions, type AccessRequest, type Fetch } from "./access.ts";
export { failover, readServers, type Server } from "./failover.ts";
export { bearer } from "./auth.ts";
export { pages } from "./pages.ts";
export { watch, type WatchOptions } from "./watch.ts";
export { SkepError, type ErrorCode, type Issue } from "@skep/core/error.ts";
export { DeploymentDesired, type Deployment, type DeploymentStatus } from "@skep/api/gen/skep/v1/deployment_pb.ts";
export {
  Health,
  InstanceDesired,
  InstanceState,
  type Instance,
  type Location,
} from "@skep/api/gen/skep/v1/instance_pb.ts";
export { Availability, Liveness, NodeRole, type Node } from "@skep/api/gen/skep/v1/node_pb.ts";
export { Balancing, RouteKind, type Route } from "@skep/api/gen/skep/v1/routing_pb.ts";
export {
  Protocol,
  RestartCondition,
  Strategy,
  UpdateOrder,
  type DeploymentSpec,
} from "@skep/api/gen/skep/v1/spec_pb.ts";
export { type Tenant } from "@skep/api/gen/skep/v1/tenant_pb.ts";
export { WorkspaceState, type Workspace } from "@skep/api/gen/skep/v1/workspace_pb.ts";
export { type Event } from "@skep/api/gen/skep/v1/event_pb.ts";
