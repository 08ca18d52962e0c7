import type { DescMethod } from "@bufbuild/protobuf";
import type { Permission } from "@skep/core/access/permission.ts";
import { MACHINE_SERVICE_BY_NAME, SERVICE_BY_NAME } from "./services.ts";

const ALL = { ...SERVICE_BY_NAME, ...MACHINE_SERVICE_BY_NAME } as const;
type Services = typeof ALL;

/**
 * What each method of each service needs. A method that is missing here does not compile.
 */
const NEEDED: { readonly [S in keyof Services]: { readonly [M in keyof Services[S]["method"]]: Permission } } = {
  tenants: {
    createTenant: "tenants.write",
    getTenant: "tenants.read",
    listTenants: "tenants.read",
    updateTenant: "tenants.write",
    deleteTenant: "tenants.write",
  },
  deployments: {
    createDeployment: "deployments.write",
    updateDeployment: "deployments.write",
    scaleDeployment: "deployments.write",
    restartDeployment: "deployments.write",
    stopDeployment: "deployments.write",
    startDeployment: "deployments.write",
    deleteDeployment: "deployments.write",
    getDeployment: "deployments.read",
    listDeployments: "deployments.read",
    watchDeployments: "deployments.read",
    streamLogs: "logs.read",
    getDefaultLimits: "deployments.read",
    previewPlacement: "deployments.read",
    explainPlacement: "deployments.read",
  },
  projects: {
    applyProject: "deployments.write",
    getProject: "deployments.read",
    listProjects: "deployments.read",
    deleteProject: "deployments.write",
  },
  instances: {
    listInstances: "instances.read",
    getInstance: "instances.read",
    listLocations: "instances.read",
    execInstance: "instances.exec",
  },
  volumes: {
    listVolumes: "volumes.read",
    deleteVolume: "volumes.write",
  },
  workspaces: {
    createWorkspace: "workspaces.write",
    getWorkspace: "workspaces.read",
    listWorkspaces: "workspaces.read",
    updateWorkspace: "workspaces.write",
    restartWorkspace: "workspaces.write",
    updateScaling: "workspaces.write",
    migrateWorkspace: "workspaces.write",
    issueToken: "workspaces.token",
    deleteWorkspace: "workspaces.write",
    previewWorkspace: "workspaces.read",
  },
  containers: {
    getContainerStatus: "workspaces.read",
    updateContainerResources: "workspaces.write",
    restartContainer: "workspaces.write",
    getContainerMetrics: "workspaces.read",
    getContainerDiagnostics: "workspaces.read",
    listContainerConnections: "workspaces.read",
    getContainerReport: "workspaces.read",
  },
  rules: {
    putRule: "rules.write",
    listRules: "rules.read",
    listRuleVersions: "rules.read",
    deleteRule: "rules.write",
  },
  webhooks: {
    putWebhook: "rules.write",
    listWebhooks: "rules.read",
    deleteWebhook: "rules.write",
  },
  devices: {
    createDevices: "devices.write",
    getDevice: "devices.read",
    listDevices: "devices.read",
    rotateDevice: "devices.write",
    enableDevice: "devices.write",
    disableDevice: "devices.write",
    deleteDevice: "devices.write",
  },
  messages: {
    listMessages: "messages.read",
    followMessages: "messages.read",
    listLatestMessages: "messages.read",
    getSeries: "messages.read",
    listDeadLetters: "messages.read",
    getDeadLetter: "messages.read",
    replayDeadLetter: "messages.write",
    deleteDeadLetter: "messages.write",
    followWorkspaceLog: "logs.read",
  },
  files: {
    listFiles: "files.read",
    getFileUsage: "files.read",
    readFile: "files.read",
    beginUpload: "files.write",
    writeUpload: "files.write",
    finishUpload: "files.write",
    createFileLink: "files.write",
    deleteFile: "files.write",
  },
  nodes: {
    listNodes: "nodes.read",
    getNode: "nodes.read",
    watchNodes: "nodes.read",
    drainNode: "nodes.write",
    activateNode: "nodes.write",
    pauseNode: "nodes.write",
    labelNode: "nodes.write",
    revokeNode: "nodes.write",
    rejoinNode: "nodes.write",
  },
  routing: {
    listRoutes: "routes.read",
    getRoute: "routes.read",
  },
  platform: {
    getStatus: "platform.read",
    recover: "platform.recover",
    watchEvents: "events.read",
  },
  hosts: {
    enrol: "hosts.enrol",
    attach: "hosts.serve",
    loadRules: "hosts.serve",
    report: "hosts.serve",
  },
  gates: {
    admitDevices: "devices.admit",
    reportDevices: "devices.admit",
    reportBrokers: "devices.admit",
  },
};

const byMethod: ReadonlyMap<DescMethod, Permission> = new Map(
  Object.entries(ALL).flatMap(([name, service]) => {
    const needed: Readonly<Record<string, Permission>> = NEEDED[name as keyof Services];
    return service.methods.flatMap(method => {
      const permission = needed[method.localName];
      return permission === undefined ? [] : [[method, permission] as const];
    });
  }),
);

/** The permission that a method of a service of ours needs; `undefined` for any other method. */
export function permissionOf(method: DescMethod): Permission | undefined {
  return byMethod.get(method);
}
