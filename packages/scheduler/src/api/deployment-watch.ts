import { create, toJsonString } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type {
  WatchDeploymentsRequest,
  WatchDeploymentsResponseSchema,
} from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { ApiDeps } from "./deps.ts";
import { encodeMany } from "./deployment-read.ts";
import { readAll } from "./lookups.ts";
import { watch } from "./watch.ts";

/** Every deployment that the request names first, then one message per change. */
export async function* watchDeployments(
  deps: ApiDeps,
  request: WatchDeploymentsRequest,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchDeploymentsResponseSchema>> {
  const { store } = deps;
  const filter = {
    ...(request.tenantId === "" ? {} : { tenantId: request.tenantId }),
    ...(request.deploymentId === "" ? {} : { deploymentId: request.deploymentId }),
  };
  const records = async () => {
    if (request.deploymentId === "") return readAll(page => store.listDeployments(filter, page));
    const one = await store.getDeployment(request.deploymentId);
    return one === undefined ? [] : [one];
  };
  const steps = watch({ clock: deps.clock, hints: deps.hints, signal }, async () => {
    const encoded = await encodeMany(store, filter, await records());
    return {
      items: new Map(
        encoded.map(init => {
          const item = create(DeploymentSchema, init);
          return [item.id, { item, print: toJsonString(DeploymentSchema, item) }];
        }),
      ),
    };
  });
  for await (const step of steps) {
    if (step.kind === "updated") yield { change: { case: "updated", value: step.item } };
    else if (step.kind === "deleted") yield { change: { case: "deleted", value: step.id } };
    else yield { change: { case: "snapshotComplete", value: true } };
  }
}
