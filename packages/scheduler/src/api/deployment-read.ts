import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import type { Store } from "../store/store.ts";
import { deploymentToProto } from "./encode.ts";
import { loadLookups, readAll } from "./lookups.ts";

/** A deployment as a message. */
export type DeploymentInit = MessageInitShape<typeof DeploymentSchema>;

/** A deployment with its release. @throws SkepError `not_found`. */
export async function findDeployment(store: Store, deploymentId: string): Promise<DeploymentRecord> {
  const record = await store.getDeployment(deploymentId);
  if (record !== undefined) return record;
  throw new SkepError(
    "not_found",
    "DEPLOYMENT_NOT_FOUND",
    `There is no deployment ${deploymentId}. List deployments to see which there are; an id is <tenant>.<name>.`,
    { details: { deploymentId } },
  );
}

/** Deployments as messages, with their status. */
export async function encodeMany(
  store: Store,
  filter: { readonly tenantId?: string; readonly deploymentId?: string },
  records: readonly DeploymentRecord[],
): Promise<DeploymentInit[]> {
  if (records.length === 0) return [];
  const instances = await readAll(page => store.listInstances(filter, page));
  const lookups = await loadLookups(store, filter, []);
  const byDeployment = Map.groupBy(instances, ({ instance }) => instance.deploymentId);
  return records.map(record => deploymentToProto(record, byDeployment.get(record.deployment.id) ?? [], lookups));
}

/** One deployment as a message, with its status. */
export async function encodeOne(store: Store, record: DeploymentRecord): Promise<DeploymentInit> {
  const [encoded] = await encodeMany(store, { deploymentId: record.deployment.id }, [record]);
  return encoded ?? {};
}
