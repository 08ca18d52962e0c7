import { create, toJson, type JsonObject } from "@bufbuild/protobuf";
import type { DeploymentSpec } from "@skep/core/model/deployment.ts";
import { DeploymentSpecSchema } from "../../gen/skep/v1/spec_pb.ts";
import { specFromProto, specToProto } from "../spec.ts";
import { specOfVersion1 } from "./version-1.ts";
import { objectOf, readMessage, ENUMS, STORED_VERSION, versionOf } from "./version.ts";

/** A spec as a release stores it. */
export function specToStored(spec: DeploymentSpec): JsonObject {
  const json = toJson(DeploymentSpecSchema, create(DeploymentSpecSchema, specToProto(spec)), ENUMS);
  return { version: STORED_VERSION, spec: json };
}

/**
 * A stored spec of any version. What it does not say gets the defaults, as in a message.
 * @throws SkepError `failed_precondition` `STORED_TOO_NEW`, `internal` `STORED_MALFORMED`.
 */
export function specFromStored(json: unknown): DeploymentSpec {
  const what = "A spec";
  const stored = objectOf(json, what);
  const message = versionOf(stored, what) === 1 ? specOfVersion1(stored, what) : (stored["spec"] ?? null);
  return specFromProto(readMessage(DeploymentSpecSchema, message, what));
}
