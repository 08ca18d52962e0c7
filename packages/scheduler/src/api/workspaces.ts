import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import { hostStrategies, purposeFromProto, scalingToProto, workspaceDesires } from "@skep/api/codec/workspace.ts";
import { WorkspaceDesired, type WorkspaceSchema } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type {
  PreviewWorkspaceRequest,
  PreviewWorkspaceResponseSchema,
  UpdateScalingRequest,
  UpdateScalingResponseSchema,
  UpdateWorkspaceRequest,
  WorkspaceService,
} from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { changedScaling, type ScalingChange } from "@skep/core/workspace/autoscale.ts";
import { decideScaling } from "@skep/core/workspace/container.ts";
import type { WorkspaceChange, WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { selectMode, SELECTION } from "@skep/core/workspace/selection.ts";
import { holds, MACHINES, machineFor, sizeOf } from "@skep/core/workspace/sizing.ts";
import { changeRequest } from "./caller.ts";
import { encodeWorkspace, findContainer, located } from "./container-read.ts";
import { acceptChangedConnector, acceptConnector } from "./connector-intake.ts";
import type { ApiDeps } from "./deps.ts";
import { droppedData } from "./dropped-data.ts";
import { pageRequest } from "./lookups.ts";
import { migrateWorkspace, refuseWithoutPods, showMove } from "./moves.ts";
import { issueToken } from "./workspace-tokens.ts";

/** Workspaces of tenants. */
export function workspaceHandlers(deps: ApiDeps): ServiceImpl<typeof WorkspaceService> {
  const { store, clock } = deps;
  return {
    createWorkspace: async (request, context) => {
      const { tenantId, connector, purpose, strategy } = request;
      if (connector === undefined) throw noConnector();
      const wanted = {
        ...{ tenantId, connector: acceptConnector(connector, deps.databaseHosts), purpose: purposeFromProto(purpose) },
        strategy: hostStrategies.fromProtoOr(strategy, "strategy", "least-loaded"),
      };
      refuseWithoutPods(deps, wanted.connector.id, wanted.connector.config.resources.type);
      const record = await store.createWorkspace(wanted, changeRequest(request, context), clock.now());
      deps.wake(`workspace ${record.id}: created`);
      return { workspace: encodeWorkspace({ record, seen: undefined }) };
    },
    getWorkspace: async ({ workspaceId }) => {
      const container = await findContainer(store, workspaceId);
      return { workspace: encodeWorkspace(container, await showMove(deps, workspaceId)) };
    },
    listWorkspaces: async request => {
      const filter = request.tenantId === "" ? {} : { tenantId: request.tenantId };
      const { items, nextToken } = await store.listWorkspaces(filter, pageRequest(request));
      const seen = await store.locateWorkspaces(items.map(one => one.id));
      const workspaces = items.map(record => encodeWorkspace({ record, seen: seen.get(record.id) }));
      return { workspaces, nextPageToken: nextToken ?? "" };
    },
    updateWorkspace: async (request, context) => {
      const wanted = changeOf(request, deps.databaseHosts);
      return { workspace: await change(deps, request, context, wanted) };
    },
    restartWorkspace: async (request, context) => ({
      workspace: await change(deps, request, context, { restart: true }),
    }),
    updateScaling: (request, context) => updateScaling(deps, request, context),
    migrateWorkspace: (request, context) => migrateWorkspace(deps, request, changeRequest(request, context)),
    issueToken: request => issueToken(deps, request),
    deleteWorkspace: async (request, context) => {
      const data = request.removeData ? { data: "remove" as const } : {};
      const record = await changed(deps, request, context, { desired: "deleted", ...data });
      const { id, tenantId, connector } = record;
      return { data: await droppedData(store, { id, tenantId, connector, removesData: record.data !== "keep" }) };
    },
    previewWorkspace: request => preview(request),
  };
}

interface Change {
  readonly workspaceId: string;
  readonly resourceVersion?: bigint | undefined;
  readonly idempotencyKey: string;
}

async function change(
  deps: ApiDeps,
  request: Change,
  context: HandlerContext,
  wanted: WorkspaceChange,
): Promise<MessageInitShape<typeof WorkspaceSchema>> {
  return encodeWorkspace(await located(deps.store, await changed(deps, request, context, wanted)));
}

async function changed(
  deps: ApiDeps,
  request: Change,
  context: HandlerContext,
  wanted: WorkspaceChange,
): Promise<WorkspaceRecord> {
  const { workspaceId, resourceVersion } = request;
  const expected = resourceVersion === undefined ? undefined : fromUint64(resourceVersion, "resource_version");
  const by = changeRequest(request, context);
  const record = await deps.store.changeWorkspace(workspaceId, wanted, expected, by, deps.clock.now());
  deps.wake(`workspace ${record.id}: ${Object.keys(wanted)[0] ?? "asked for"}`);
  return record;
}

async function updateScaling(
  { store, clock, wake }: ApiDeps,
  request: UpdateScalingRequest,
  context: HandlerContext,
): Promise<MessageInitShape<typeof UpdateScalingResponseSchema>> {
  const { workspaceId, dryRun, resourceVersion, enabled, triggers, cooldown, maxInstances } = request;
  const { record: known, seen } = await findContainer(store, workspaceId);
  const scaling = partOf({ enabled, triggers, cooldown, maxInstances });
  const { instances, because } = decideScaling(changedScaling(known.scaling, scaling), { ...known, seen }, clock.now());
  const expected = resourceVersion === undefined ? undefined : fromUint64(resourceVersion, "resource_version");
  const by = changeRequest(request, context);
  const record = dryRun ? known : await store.changeWorkspace(workspaceId, { scaling }, expected, by, clock.now());
  if (!dryRun) wake(`workspace ${workspaceId}: scaling`);
  return {
    ...{ workspaceId, instances, because, recorded: !dryRun },
    policy: scalingToProto(changedScaling(record.scaling, scaling)),
    resourceVersion: toUint64(record.version),
  };
}

function changeOf(request: UpdateWorkspaceRequest, databaseHosts: readonly string[]): WorkspaceChange {
  const { workspaceId, connector, purpose, strategy, desired, databasePoolSize, scaling } = request;
  if (desired === WorkspaceDesired.DELETED)
    throw new SkepError("invalid_argument", "DELETION_UNSAID", "An update deletes nothing; call DeleteWorkspace.");
  return {
    ...(connector === undefined ? {} : { connector: acceptChangedConnector(connector, databaseHosts, workspaceId) }),
    ...(purpose === undefined ? {} : { purpose: purposeFromProto(purpose) }),
    ...(strategy === 0 ? {} : { strategy: hostStrategies.fromProto(strategy, "strategy") }),
    ...(desired === WorkspaceDesired.UNSPECIFIED ? {} : { desired: workspaceDesires.fromProto(desired, "desired") }),
    ...(databasePoolSize === undefined ? {} : { databasePool: databasePoolSize }),
    ...(scaling === undefined ? {} : { scaling: partOf(scaling) }),
  };
}

function preview({ purpose, fleet }: PreviewWorkspaceRequest): MessageInitShape<typeof PreviewWorkspaceResponseSchema> {
  const { devices = 0, messagesPerDay = 0n, connections = 0 } = fleet ?? {};
  const size = sizeOf({ devices, messagesPerDay: fromUint64(messagesPerDay, "fleet.messages_per_day"), connections });
  const machine = machineFor(size);
  return {
    selection: selectMode(purposeFromProto(purpose)),
    table: [...SELECTION],
    size: {
      ...{ databaseMb: toUint64(size.databaseMb), memoryMb: toUint64(size.memoryMb) },
      brokerConnections: size.brokerConnections,
    },
    machine,
    fits: holds(machine, size),
    machines: [...MACHINES],
  };
}

/** What a message says of a policy, as plain data. */
function partOf({ enabled, triggers, cooldown, maxInstances }: ScalingChange): ScalingChange {
  const { cpuUsage, memoryUsage, connectionCount, messagesPerSecond } = triggers ?? {};
  return { enabled, cooldown, maxInstances, triggers: { cpuUsage, memoryUsage, connectionCount, messagesPerSecond } };
}

/** The rules of the request hold it to one. */
function noConnector(): SkepError {
  return new SkepError(
    "invalid_argument",
    "CONNECTOR_MISSING",
    "The request has no `connector`: send what it is to be.",
  );
}
