import { VolumeService } from "./gen/skep/v1/volume_service_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import { DeploymentService } from "./gen/skep/v1/deployment_service_pb.ts";
import { DeviceService } from "./gen/skep/v1/device_service_pb.ts";
import { GateService } from "./gen/skep/v1/gate_pb.ts";
import { HostService } from "./gen/skep/v1/host_pb.ts";
import { FileService } from "./gen/skep/v1/file_service_pb.ts";
import { MessageService } from "./gen/skep/v1/message_service_pb.ts";
import { InstanceService } from "./gen/skep/v1/instance_service_pb.ts";
import { NodeService } from "./gen/skep/v1/node_service_pb.ts";
import { ProjectService } from "./gen/skep/v1/project_service_pb.ts";
import { PlatformService } from "./gen/skep/v1/platform_service_pb.ts";
import { RoutingService } from "./gen/skep/v1/routing_service_pb.ts";
import { ContainerService } from "./gen/skep/v1/container_service_pb.ts";
import { RuleService } from "./gen/skep/v1/rule_service_pb.ts";
import { WebhookService } from "./gen/skep/v1/webhook_service_pb.ts";
import { TenantService } from "./gen/skep/v1/tenant_service_pb.ts";
import { WorkspaceService } from "./gen/skep/v1/workspace_service_pb.ts";

/**
 * Every public service, by the name of what it is about, in the order in which documents list them.
 */
export const SERVICE_BY_NAME = {
  tenants: TenantService,
  deployments: DeploymentService,
  projects: ProjectService,
  instances: InstanceService,
  volumes: VolumeService,
  workspaces: WorkspaceService,
  containers: ContainerService,
  rules: RuleService,
  devices: DeviceService,
  webhooks: WebhookService,
  messages: MessageService,
  files: FileService,
  nodes: NodeService,
  routing: RoutingService,
  platform: PlatformService,
} as const;

/**
 * Services that only processes of ours call: they have no REST paths, no client in the sdk, and
 * stand in no document for people.
 */
export const MACHINE_SERVICE_BY_NAME = {
  hosts: HostService,
  gates: GateService,
} as const;

/** The public ones as a list. */
export const SERVICES: readonly DescService[] = Object.values(SERVICE_BY_NAME);
