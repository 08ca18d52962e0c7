import { volumeHandlers } from "./volumes.ts";
import { containerHandlers } from "./containers.ts";
import { ContainerService } from "@skep/api/gen/skep/v1/container_service_pb.ts";
import { deviceHandlers } from "./devices.ts";
import { gateHandlers } from "./gates.ts";
import { passedOn } from "./host-call.ts";
import { FileService } from "@skep/api/gen/skep/v1/file_service_pb.ts";
import { MessageService } from "@skep/api/gen/skep/v1/message_service_pb.ts";
import { DeviceService } from "@skep/api/gen/skep/v1/device_service_pb.ts";
import { GateService } from "@skep/api/gen/skep/v1/gate_pb.ts";
import { ruleHandlers } from "./rules.ts";
import { webhookHandlers } from "./webhooks.ts";
import { WebhookService } from "@skep/api/gen/skep/v1/webhook_service_pb.ts";
import { RuleService } from "@skep/api/gen/skep/v1/rule_service_pb.ts";
import { workspaceHandlers } from "./workspaces.ts";
import { WorkspaceService } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { VolumeService } from "@skep/api/gen/skep/v1/volume_service_pb.ts";
import type { ConnectRouter } from "@connectrpc/connect";
import { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { InstanceService } from "@skep/api/gen/skep/v1/instance_service_pb.ts";
import { HostService } from "@skep/api/gen/skep/v1/host_pb.ts";
import { NodeService } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { ProjectService } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { RoutingService } from "@skep/api/gen/skep/v1/routing_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { deploymentHandlers } from "./deployments.ts";
import type { ApiDeps } from "./deps.ts";
import { instanceHandlers } from "./instances.ts";
import { hostHandlers } from "./hosts.ts";
import { nodeHandlers } from "./nodes.ts";
import { platformHandlers } from "./platform.ts";
import { projectHandlers } from "./projects.ts";
import { routingHandlers } from "./routing.ts";
import { tenantHandlers } from "./tenants.ts";

/**
 * Implements every service of ours for one router. A handler decodes, asks the store, and encodes;
 * nothing more.
 */
export function createHandlers(deps: ApiDeps): (router: ConnectRouter) => void {
  return router => {
    router.service(TenantService, tenantHandlers(deps));
    router.service(DeploymentService, deploymentHandlers(deps));
    router.service(ProjectService, projectHandlers(deps));
    router.service(InstanceService, instanceHandlers(deps));
    router.service(VolumeService, volumeHandlers(deps));
    router.service(WorkspaceService, workspaceHandlers(deps));
    router.service(ContainerService, containerHandlers(deps));
    router.service(RuleService, ruleHandlers(deps));
    router.service(WebhookService, webhookHandlers(deps));
    router.service(DeviceService, deviceHandlers(deps));
    router.service(MessageService, passedOn(deps, MessageService));
    router.service(FileService, passedOn(deps, FileService));
    router.service(NodeService, nodeHandlers(deps));
    router.service(RoutingService, routingHandlers(deps));
    router.service(PlatformService, platformHandlers(deps));
    router.service(HostService, hostHandlers(deps));
    router.service(GateService, gateHandlers(deps));
  };
}
