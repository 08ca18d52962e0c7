import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { DeploymentService } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { toUint64 } from "@skep/api/codec/number.ts";
import { SkepError } from "@skep/core/error.ts";
import { tenantOf } from "@skep/core/model/instance-id.ts";
import type { DeploymentChange } from "@skep/core/deployment/change.ts";
import type { DeploymentRecord } from "@skep/core/model/deployment.ts";
import { refusePod } from "@skep/core/workspace/pod.ts";
import { changeRequest } from "./caller.ts";
import { refuseCycle } from "./dependency-cycle.ts";
import { encodeMany, encodeOne, findDeployment } from "./deployment-read.ts";
import type { DeploymentInit } from "./deployment-read.ts";
import { streamLogs } from "./deployment-logs.ts";
import { watchDeployments } from "./deployment-watch.ts";
import type { ApiDeps } from "./deps.ts";
import { deploymentToProto } from "./encode.ts";
import { specFromFlatForm } from "./flat-form.ts";
import { lookupsOf, pageRequest } from "./lookups.ts";
import { explain, preview } from "./placement.ts";
import { acceptMessage, acceptSpec, type SpecRules } from "./spec-intake.ts";

/** What tenants want run. */
export function deploymentHandlers(deps: ApiDeps): ServiceImpl<typeof DeploymentService> {
  const { store, clock, fixedPorts, placement, defaultLimits } = deps;
  const rules = async (): Promise<SpecRules> => {
    return { fixedPorts, defaultLimits, reservedDomains: await deps.reservedDomains() };
  };
  return {
    createDeployment: async (request, context) => {
      const tenantId = request.tenantId === "" ? request.projectId : request.tenantId;
      const flat = request.spec === undefined;
      const accepted = flat
        ? acceptSpec(tenantId, specFromFlatForm(request, defaultLimits), await rules())
        : acceptMessage(tenantId, request.spec, await rules());
      await refuseCycle(store, tenantId, accepted.spec);
      const by = changeRequest(request, context);
      const record = await store.createDeployment(tenantId, accepted.spec, accepted.routes, by, deps.clock.now());
      deps.wake(`${record.deployment.id}: created`);
      // Nothing of it is placed yet; to read that back would only compete with the tick that places
      // it.
      return { deployment: deploymentToProto(record, [], lookupsOf([], accepted.routes, [])) };
    },
    updateDeployment: async (request, context) => {
      refusePod(request.deploymentId);
      const { spec, routes } = acceptMessage(tenantOf(request.deploymentId), request.spec, await rules());
      refuseRename(request.deploymentId, spec.name);
      await refuseCycle(store, tenantOf(request.deploymentId), spec);
      return { deployment: await change(deps, request, context, { spec, routes }) };
    },
    scaleDeployment: async (request, context) => ({
      deployment: await change(deps, request, context, { replicas: wantedReplicas(request) }),
    }),
    restartDeployment: async (request, context) => ({
      deployment: await change(deps, request, context, { restart: true }),
    }),
    stopDeployment: async (request, context) => ({
      deployment: await change(deps, request, context, { desired: "stopped" }),
    }),
    startDeployment: async (request, context) => ({
      deployment: await change(deps, request, context, { desired: "run" }),
    }),
    deleteDeployment: async (request, context) => {
      await change(deps, request, context, { desired: "deleted" });
      return {};
    },
    getDeployment: async ({ deploymentId }) => ({
      deployment: await encodeOne(store, await findDeployment(store, deploymentId)),
    }),
    listDeployments: async request => {
      const filter = request.tenantId === "" ? {} : { tenantId: request.tenantId };
      const { items, nextToken } = await store.listDeployments(filter, pageRequest(request));
      return { deployments: await encodeMany(store, filter, items), nextPageToken: nextToken ?? "" };
    },
    watchDeployments: (request, context) => watchDeployments(deps, request, context.signal),
    streamLogs: (request, context) => streamLogs(deps, request, context.signal),
    getDefaultLimits: () => {
      return { ...defaultLimits, memoryBytes: toUint64(defaultLimits.memoryBytes) };
    },
    previewPlacement: async request => {
      const { spec } = acceptMessage(request.tenantId, request.spec, await rules());
      return { placements: preview(await store.loadWorld(), request.tenantId, spec, clock.now(), placement) };
    },
    explainPlacement: request => explain(store, request, clock.now(), placement),
  };
}

interface Change {
  readonly deploymentId: string;
  readonly resourceVersion?: bigint | undefined;
  readonly idempotencyKey: string;
}

async function change(
  deps: ApiDeps,
  request: Change,
  context: HandlerContext,
  wanted: DeploymentChange,
): Promise<DeploymentInit> {
  refusePod(request.deploymentId);
  const expected = request.resourceVersion === undefined ? undefined : Number(request.resourceVersion);
  const by = changeRequest(request, context);
  const record = await deps.store.changeDeployment(request.deploymentId, wanted, expected, by, deps.clock.now());
  return committed(deps, record, Object.keys(wanted)[0] ?? "changed");
}

/** The commit stands: the tick is woken at once, and what is answered is read after that. */
async function committed(deps: ApiDeps, record: DeploymentRecord, what: string): Promise<DeploymentInit> {
  deps.wake(`${record.deployment.id}: ${what}`);
  return encodeOne(deps.store, record);
}

/** The rules of the request hold it to saying a number. */
function wantedReplicas({ replicas }: { readonly replicas?: number | undefined }): number {
  if (replicas !== undefined) return replicas;
  throw new SkepError("invalid_argument", "REPLICAS_MISSING", "The request has no `replicas`: say how many to run.");
}

function refuseRename(deploymentId: string, name: string): void {
  if (deploymentId === `${tenantOf(deploymentId)}.${name}`) return;
  throw new SkepError(
    "invalid_argument",
    "NAME_FIXED",
    `The spec is named ${name}, and the deployment is ${deploymentId}. A name cannot change: create a new deployment and delete this one.`,
    { details: { deploymentId, name } },
  );
}
