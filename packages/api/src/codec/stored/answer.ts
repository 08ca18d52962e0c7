import { create, toJson, type JsonObject } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Deployment, Release } from "@skep/core/model/deployment.ts";
import type { Tenant } from "@skep/core/model/tenant.ts";
import { DeploymentSchema } from "../../gen/skep/v1/deployment_pb.ts";
import { TenantSchema } from "../../gen/skep/v1/tenant_pb.ts";
import { fromUint64, toUint64 } from "../number.ts";
import { specFromProto, specToProto } from "../spec.ts";
import { quotaFromProto, tenantToProto } from "../tenant.ts";
import { deploymentDesires } from "../words.ts";
import { specOfVersion1, withEnum } from "./version-1.ts";
import { malformed, objectOf, readMessage, ENUMS, STORED_VERSION, versionOf } from "./version.ts";

/** How the answer to one kind of request is stored under its idempotency key. */
export interface AnswerCodec<T> {
  encode(answer: T): JsonObject | null;
  /** @throws SkepError `failed_precondition` `STORED_TOO_NEW`, `internal` `STORED_MALFORMED`. */
  decode(json: unknown): T;
}

/** A deployment with its release, as changes of it are answered. */
interface DeploymentAnswer {
  readonly deployment: Deployment;
  readonly release: Release;
}

const WHAT = "An answer that was given before";

/**
 * Answers that are a deployment. The public message lacks the next serial, which stands beside it.
 */
export const deploymentAnswer: AnswerCodec<DeploymentAnswer> = {
  encode: ({ deployment, release }) => {
    const { id, tenantId, name, replicas, resourceVersion, nextSerial, createdAt } = deployment;
    const message = create(DeploymentSchema, {
      ...{ id, tenantId, name, replicas, release: release.number },
      desired: deploymentDesires.toProto(deployment.desired),
      resourceVersion: toUint64(resourceVersion),
      createdAt: timestampFromMs(createdAt),
      spec: specToProto(release.spec),
    });
    return { version: STORED_VERSION, deployment: toJson(DeploymentSchema, message, ENUMS), nextSerial };
  },
  decode: json => {
    const stored = objectOf(json, WHAT);
    const { deployment, nextSerial } = versionOf(stored, WHAT) === 1 ? deploymentOfVersion1(stored) : stored;
    const message = readMessage(DeploymentSchema, deployment ?? null, WHAT);
    const { id, tenantId, name, replicas, release: number, spec, createdAt } = message;
    if (spec === undefined || createdAt === undefined || typeof nextSerial !== "number")
      throw malformed(WHAT, "its spec, its time or its serial is missing");
    const resourceVersion = fromUint64(message.resourceVersion, "resource_version");
    const desired = deploymentDesires.fromProto(message.desired, "desired");
    return {
      deployment: {
        ...{ id, tenantId, name, desired, replicas, release: number, resourceVersion, nextSerial },
        createdAt: timestampMs(createdAt),
      },
      release: { deploymentId: id, number, spec: specFromProto(spec) },
    };
  },
};

function deploymentOfVersion1(stored: JsonObject): JsonObject {
  const { createdAt, nextSerial, ...rest } = objectOf(stored["deployment"], WHAT);
  const { spec } = objectOf(stored["release"], WHAT);
  if (typeof createdAt !== "number") throw malformed(WHAT, "its time is no number");
  const deployment = {
    ...withEnum(rest, "desired", deploymentDesires),
    createdAt: new Date(createdAt).toISOString(),
    spec: specOfVersion1(spec ?? null, WHAT),
  };
  return { deployment, nextSerial: nextSerial ?? null };
}

/** Answers that are a tenant; version 1 had the message's very shape. */
export const tenantAnswer: AnswerCodec<Tenant> = {
  encode: tenant => ({
    version: STORED_VERSION,
    tenant: toJson(TenantSchema, create(TenantSchema, tenantToProto(tenant))),
  }),
  decode: json => {
    const stored = objectOf(json, WHAT);
    const tenant = versionOf(stored, WHAT) === 1 ? stored : (stored["tenant"] ?? null);
    const { id, quota } = readMessage(TenantSchema, tenant, WHAT);
    return { id, quota: quotaFromProto(quota) };
  },
};

/** Answers that say nothing. */
export const emptyAnswer: AnswerCodec<undefined> = { encode: () => null, decode: () => undefined };
