import { create, toJson, type JsonObject } from "@bufbuild/protobuf";
import type { ScalingPolicy } from "@skep/core/workspace/autoscale.ts";
import type { Connector } from "@skep/core/workspace/connector.ts";
import type { WorkspaceRecord } from "@skep/core/workspace/record.ts";
import type { Purpose } from "@skep/core/workspace/selection.ts";
import {
  ConnectorSchema,
  ScalingPolicySchema,
  WorkspacePurposeSchema,
  WorkspaceSchema,
} from "../../gen/skep/v1/workspace_pb.ts";
import { connectorFromProto, connectorToProto } from "../connector.ts";
import {
  purposeFromProto,
  purposeToProto,
  scalingFromProto,
  scalingToProto,
  workspaceFromProto,
  workspaceToProto,
} from "../workspace.ts";
import type { AnswerCodec } from "./answer.ts";
import { ENUMS, malformed, objectOf, readMessage, STORED_VERSION, versionOf } from "./version.ts";

/** A connector as `workspaces` stores it, with all that its host needs. */
export function connectorToStored(connector: Connector): JsonObject {
  const message = create(ConnectorSchema, connectorToProto(connector));
  return { version: STORED_VERSION, connector: toJson(ConnectorSchema, message, ENUMS) };
}

/**
 * A stored connector. @throws SkepError `failed_precondition` `STORED_TOO_NEW`, `internal`
 * `STORED_MALFORMED`.
 */
export function connectorFromStored(json: unknown): Connector {
  return connectorFromProto(readMessage(ConnectorSchema, partOf(json, "connector", "A connector"), "A connector"));
}

/** A purpose as `workspaces` stores it. */
export function purposeToStored(purpose: Purpose): JsonObject {
  const message = create(WorkspacePurposeSchema, purposeToProto(purpose));
  return { version: STORED_VERSION, purpose: toJson(WorkspacePurposeSchema, message, ENUMS) };
}

/** A stored purpose. @throws as `connectorFromStored`. */
export function purposeFromStored(json: unknown): Purpose {
  return purposeFromProto(readMessage(WorkspacePurposeSchema, partOf(json, "purpose", "A purpose"), "A purpose"));
}

/** A policy as `workspaces` stores it. */
export function scalingToStored(policy: ScalingPolicy): JsonObject {
  const message = create(ScalingPolicySchema, scalingToProto(policy));
  return { version: STORED_VERSION, scaling: toJson(ScalingPolicySchema, message, ENUMS) };
}

/** A stored policy. @throws as `connectorFromStored`. */
export function scalingFromStored(json: unknown): ScalingPolicy {
  const what = "A scaling policy";
  return scalingFromProto(readMessage(ScalingPolicySchema, partOf(json, "scaling", what), what));
}

const WHAT = "An answer that was given before";

/** Answers that are a workspace, as it was shown: they keep no secret. */
export const workspaceAnswer: AnswerCodec<WorkspaceRecord> = {
  encode: record => {
    const message = create(WorkspaceSchema, workspaceToProto(record));
    return { version: STORED_VERSION, workspace: toJson(WorkspaceSchema, message, ENUMS) };
  },
  decode: json => {
    const record = workspaceFromProto(readMessage(WorkspaceSchema, partOf(json, "workspace", WHAT), WHAT));
    if (record === undefined) throw malformed(WHAT, "its connector or its times are missing");
    return record;
  },
};

function partOf(json: unknown, part: string, what: string): NonNullable<JsonObject[string]> {
  const stored = objectOf(json, what);
  versionOf(stored, what);
  const value = stored[part];
  if (value === undefined || value === null) throw malformed(what, `its ${part} is missing`);
  return value;
}
