import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { fromUint64, toUint64 } from "@skep/api/codec/number.ts";
import {
  hostStrategies,
  purposeFromProto,
  scalingFromProto,
  workspaceDesires,
  workspaceToProto,
} from "@skep/api/codec/workspace.ts";
import { WorkspaceDesired, type WorkspaceSchema } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import type {
  PreviewWorkspaceRequest,
  PreviewWorkspaceResponseSchema,
  UpdateWorkspaceRequest,
  WorkspaceService,
} from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceChange, WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { selectMode, SELECTION } from "@skep/core/workspace/selection.ts";
import { holds, MACHINES, machineFor, sizeOf } from "@skep/core/workspace/sizing.ts";
import { workspaceState } from "@skep/core/workspace/state.ts";
import { refuse } from "../store/refusals.ts";
import type { Store } from "../store/store.ts";
import { changeRequest } from "./caller.ts";
import { acceptChangedConnector, acceptConnector } from "./connector-intake.ts";
import type { ApiDeps } from "./deps.ts";
import { pageRequest } from "./lookups.ts";

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
      const record = await store.createWorkspace(wanted, changeRequest(request, context), clock.now());
      deps.wake(`workspace ${record.id}: created`);
      return { workspace: encode(record) };
    },
    getWorkspace: async ({ workspaceId }) => ({ workspace: encode(await findWorkspace(store, workspaceId)) }),
    listWorkspaces: async request => {
      const filter = request.tenantId === "" ? {} : { tenantId: request.tenantId };
      const { items, nextToken } = await store.listWorkspaces(filter, pageRequest(request));
      return { workspaces: items.map(encode), nextPageToken: nextToken ?? "" };
    },
    updateWorkspace: async (request, context) => {
      const { scaling } = request;
      const known = scaling === undefined ? undefined : await findWorkspace(store, request.workspaceId);
      const wanted = {
        ...changeOf(request, deps.databaseHosts),
        ...(known === undefined ? {} : { scaling: scalingFromProto(scaling, known.scaling) }),
      };
      return { workspace: await change(deps, request, context, wanted) };
    },
    restartWorkspace: async (request, context) => ({
      workspace: await change(deps, request, context, { restart: true }),
    }),
    deleteWorkspace: async (request, context) => {
      await change(deps, request, context, { desired: "deleted" });
      return {};
    },
    previewWorkspace: request => preview(request),
  };
}

/** A workspace that has to be there. @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`. */
async function findWorkspace(store: Store, id: string): Promise<WorkspaceRecord> {
  const record = await store.getWorkspace(id);
  if (record === undefined) throw refuse.noWorkspace(id);
  return record;
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
  const { workspaceId, resourceVersion } = request;
  const expected = resourceVersion === undefined ? undefined : fromUint64(resourceVersion, "resource_version");
  const by = changeRequest(request, context);
  const record = await deps.store.changeWorkspace(workspaceId, wanted, expected, by, deps.clock.now());
  deps.wake(`workspace ${record.id}: ${Object.keys(wanted)[0] ?? "asked for"}`);
  return encode(record);
}

function changeOf(request: UpdateWorkspaceRequest, databaseHosts: readonly string[]): WorkspaceChange {
  const { workspaceId, connector, purpose, strategy, desired, databasePoolSize } = request;
  if (desired === WorkspaceDesired.DELETED)
    throw new SkepError("invalid_argument", "DELETION_UNSAID", "An update deletes nothing; call DeleteWorkspace.");
  return {
    ...(connector === undefined ? {} : { connector: acceptChangedConnector(connector, databaseHosts, workspaceId) }),
    ...(purpose === undefined ? {} : { purpose: purposeFromProto(purpose) }),
    ...(strategy === 0 ? {} : { strategy: hostStrategies.fromProto(strategy, "strategy") }),
    ...(desired === WorkspaceDesired.UNSPECIFIED ? {} : { desired: workspaceDesires.fromProto(desired, "desired") }),
    ...(databasePoolSize === undefined ? {} : { databasePool: databasePoolSize }),
  };
}

function encode(record: WorkspaceRecord): MessageInitShape<typeof WorkspaceSchema> {
  return workspaceToProto(record, workspaceState(record, undefined));
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

/** The rules of the request hold it to one. */
function noConnector(): SkepError {
  return new SkepError(
    "invalid_argument",
    "CONNECTOR_MISSING",
    "The request has no `connector`: send what it is to be.",
  );
}
