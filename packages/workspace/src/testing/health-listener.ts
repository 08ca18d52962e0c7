import { Health, HealthCheckResponse_ServingStatus as Status } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { servedOf } from "../data/call.ts";
import { listenForWorkspaces, type DataListener } from "../data/listen.ts";
import type { ServedWorkspaces } from "../data/served.ts";

/** The port of a host with one call, which notes the workspace that it reached in `called`. */
export function listenForHealth(workspaces: ServedWorkspaces, called: string[]): Promise<DataListener> {
  return listenForWorkspaces({
    ...{ port: 0, workspaces, log: createRecordingLog() },
    routes: router =>
      router.service(Health, {
        check: (_, context) => {
          called.push(servedOf(context).id);
          return { status: Status.SERVING };
        },
      }),
  });
}
