import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { toUint32 } from "@skep/api/codec/number.ts";
import type { ShownMove } from "@skep/api/codec/move.ts";
import { workspaceToProto } from "@skep/api/codec/workspace.ts";
import type {
  GetContainerDiagnosticsResponseSchema,
  GetContainerStatusResponseSchema,
  ListContainerConnectionsResponseSchema,
} from "@skep/api/gen/skep/v1/container_service_pb.ts";
import type { WorkspaceSchema } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { connectionsOf, diagnose, type ContainerStatus, type SeenContainer } from "@skep/core/workspace/container.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import { workspaceState } from "@skep/core/workspace/state.ts";
import { refuse } from "../store/refusals.ts";
import type { Store } from "../store/store.ts";

/** A workspace, and what its host last said of it. */
export interface Container {
  readonly record: WorkspaceRecord;
  readonly seen: SeenContainer | undefined;
}

/** A workspace that has to be there. @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`. */
export async function findContainer(store: Store, id: string): Promise<Container> {
  const record = await store.getWorkspace(id);
  if (record === undefined) throw refuse.noWorkspace(id);
  return await located(store, record);
}

/** The same for a record that was read already. */
export async function located(store: Store, record: WorkspaceRecord): Promise<Container> {
  return { record, seen: (await store.locateWorkspaces([record.id])).get(record.id) };
}

/** A workspace as a message, with where it is, and its move where that is asked for. */
export function encodeWorkspace(
  { record, seen }: Container,
  move?: ShownMove,
): MessageInitShape<typeof WorkspaceSchema> {
  const location = seen?.state === "stopped" ? undefined : seen;
  return workspaceToProto(record, { state: workspaceState(record, seen), location }, move);
}

/** The status of a container as a message. */
export function encodeStatus(status: ContainerStatus): MessageInitShape<typeof GetContainerStatusResponseSchema> {
  const { uptime, resources, notKnown, reportedAt, ...rest } = status;
  return {
    ...rest,
    resources: { ...resources },
    notKnown: [...notKnown],
    ...(uptime === undefined ? {} : { uptime }),
    ...reported(reportedAt),
  };
}

/** A diagnosis as a message. */
export function encodeDiagnosis(
  { record, seen }: Container,
  now: number,
): MessageInitShape<typeof GetContainerDiagnosticsResponseSchema> {
  const checks = diagnose(record, seen, now);
  return { ok: checks.every(one => one.ok), checks: [...checks] };
}

/** Connections as a message. */
export function encodeConnections({
  record,
  seen,
}: Container): MessageInitShape<typeof ListContainerConnectionsResponseSchema> {
  const all = connectionsOf(record, seen);
  return {
    connections: all.map(({ kind, open, most }) => ({
      ...{ kind, most: toUint32(most) },
      ...(open === undefined ? {} : { open }),
    })),
    notKnown: all.flatMap(({ kind, open }) =>
      open === undefined
        ? [`how many ${kind} are open: ${seen === undefined ? "no host has it" : "its host has not said"}`]
        : [],
    ),
    ...reported(seen?.reportedAt),
  };
}

/** When its host said so, where one did. */
export function reported(at: number | undefined): { readonly reportedAt?: ReturnType<typeof timestampFromMs> } {
  return at === undefined ? {} : { reportedAt: timestampFromMs(at) };
}
