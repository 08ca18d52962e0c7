import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { changedScaling, DEFAULT_SCALING, type ScalingPolicy } from "@skep/core/workspace/autoscale.ts";
import type { HostStrategy as StrategyWord } from "@skep/core/workspace/host.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import type { WorkspaceState as StateWord } from "@skep/core/workspace/state.ts";
import { withoutSecrets } from "@skep/core/workspace/secrets.ts";
import type { Purpose } from "@skep/core/workspace/selection.ts";
import {
  HostStrategy,
  WorkspaceDesired,
  WorkspaceEnvironment,
  WorkspaceScale,
  WorkspaceState,
  type ScalingPolicy as ScalingMessage,
  type ScalingPolicySchema,
  type Workspace,
  type WorkspaceLocationSchema,
  type WorkspacePurpose,
  type WorkspacePurposeSchema,
  type WorkspaceSchema,
} from "../gen/skep/v1/workspace_pb.ts";
import { connectorFromProto, connectorToProto } from "./connector.ts";
import { enumTable } from "./enum-table.ts";
import { moveToProto, type ShownMove } from "./move.ts";
import { fromUint64, toUint64 } from "./number.ts";

/** How the host of a workspace is chosen. */
export const hostStrategies = enumTable<StrategyWord, HostStrategy>("strategy", {
  "least-loaded": HostStrategy.LEAST_LOADED,
  "round-robin": HostStrategy.ROUND_ROBIN,
});

/** What is wanted of a workspace. */
export const workspaceDesires = enumTable<WorkspaceRecord["desired"], WorkspaceDesired>("desired state", {
  run: WorkspaceDesired.RUN,
  stopped: WorkspaceDesired.STOPPED,
  deleted: WorkspaceDesired.DELETED,
});

const states = enumTable<StateWord, WorkspaceState>("workspace state", {
  waiting: WorkspaceState.WAITING,
  deploying: WorkspaceState.DEPLOYING,
  active: WorkspaceState.ACTIVE,
  idle: WorkspaceState.IDLE,
  error: WorkspaceState.ERROR,
  stopping: WorkspaceState.STOPPING,
  stopped: WorkspaceState.STOPPED,
});

const environments = enumTable<Purpose["environment"], WorkspaceEnvironment>("environment", {
  development: WorkspaceEnvironment.DEVELOPMENT,
  testing: WorkspaceEnvironment.TESTING,
  production: WorkspaceEnvironment.PRODUCTION,
});

const scales = enumTable<Purpose["scale"], WorkspaceScale>("scale", {
  small: WorkspaceScale.SMALL,
  large: WorkspaceScale.LARGE,
});

/** A message's purpose; an absent one is a small production. */
export function purposeFromProto(message: WorkspacePurpose | undefined): Purpose {
  return {
    environment: environments.fromProtoOr(message?.environment ?? 0, "purpose.environment", "production"),
    scale: scales.fromProtoOr(message?.scale ?? 0, "purpose.scale", "small"),
    isRegulated: message?.isRegulated ?? false,
    needsPerformance: message?.needsPerformance ?? false,
    isCostSensitive: message?.isCostSensitive ?? false,
  };
}

/** A purpose as a message. */
export function purposeToProto(purpose: Purpose): MessageInitShape<typeof WorkspacePurposeSchema> {
  const { environment, scale, ...rest } = purpose;
  return { ...rest, environment: environments.toProto(environment), scale: scales.toProto(scale) };
}

/** A message's policy; what it does not say gets the defaults. */
export function scalingFromProto(message: ScalingMessage | undefined): ScalingPolicy {
  return changedScaling(DEFAULT_SCALING, message ?? {});
}

/** A policy as a message, with all that it has. */
export function scalingToProto(policy: ScalingPolicy): MessageInitShape<typeof ScalingPolicySchema> {
  return { ...policy, triggers: { ...policy.triggers } };
}

/** Where a workspace is, and how. */
export interface WorkspacePlace {
  readonly state: StateWord;
  /** `undefined` where no host has it. */
  readonly location: { readonly hostId: string; readonly nodeId: string; readonly epoch: number } | undefined;
}

/**
 * A workspace as a message, without its secrets; without its place and its move where they are not
 * known.
 */
export function workspaceToProto(
  record: WorkspaceRecord,
  place?: WorkspacePlace,
  move?: ShownMove,
): MessageInitShape<typeof WorkspaceSchema> {
  return {
    id: record.id,
    tenantId: record.tenantId,
    connector: connectorToProto(withoutSecrets(record.connector)),
    purpose: purposeToProto(record.purpose),
    strategy: hostStrategies.toProto(record.strategy),
    desired: workspaceDesires.toProto(record.desired),
    resourceVersion: toUint64(record.version),
    ...(place === undefined ? {} : { state: states.toProto(place.state) }),
    ...(place?.location === undefined ? {} : { location: locationToProto(place.location) }),
    ...(move === undefined ? {} : { move: moveToProto(move) }),
    ...{ waiting: record.waiting, podProblem: record.podProblem },
    epoch: toUint64(record.epoch),
    restarts: toUint64(record.restarts),
    rulesVersion: toUint64(record.rulesVersion),
    databasePoolSize: record.databasePool,
    scaling: scalingToProto(record.scaling),
    ...{ instances: record.instances, removesData: record.data !== "keep" },
    ...(record.scaledAt === undefined ? {} : { scaledAt: timestampFromMs(record.scaledAt) }),
    createdAt: timestampFromMs(record.createdAt),
    updatedAt: timestampFromMs(record.updatedAt),
  };
}

function locationToProto({
  hostId,
  nodeId,
  epoch,
}: NonNullable<WorkspacePlace["location"]>): MessageInitShape<typeof WorkspaceLocationSchema> {
  return { hostId, nodeId, epoch: toUint64(epoch) };
}

/** The record that `workspaceToProto` showed, as far as it showed it. */
export function workspaceFromProto(message: Workspace): WorkspaceRecord | undefined {
  const { id, tenantId, connector, createdAt, updatedAt } = message;
  if (connector === undefined || createdAt === undefined || updatedAt === undefined) return undefined;
  return {
    ...{
      id,
      tenantId,
      connector: connectorFromProto(connector),
      waiting: message.waiting,
      podProblem: message.podProblem,
    },
    purpose: purposeFromProto(message.purpose),
    strategy: hostStrategies.fromProto(message.strategy, "strategy"),
    desired: workspaceDesires.fromProto(message.desired, "desired"),
    version: fromUint64(message.resourceVersion, "resource_version"),
    epoch: fromUint64(message.epoch, "epoch"),
    restarts: fromUint64(message.restarts, "restarts"),
    rulesVersion: fromUint64(message.rulesVersion, "rules_version"),
    databasePool: message.databasePoolSize,
    scaling: scalingFromProto(message.scaling),
    ...{ instances: Math.max(1, message.instances), data: message.removesData ? "remove" : "keep" },
    scaledAt: message.scaledAt === undefined ? undefined : timestampMs(message.scaledAt),
    createdAt: timestampMs(createdAt),
    updatedAt: timestampMs(updatedAt),
  };
}
