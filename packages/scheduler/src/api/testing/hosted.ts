import { createRouterTransport, type ConnectRouter } from "@connectrpc/connect";
import { createRecordingLog } from "@skep/kit/log.ts";
import { createInterceptors } from "@skep/server/interceptors.ts";
import { aHostedStatus, aHostReport } from "../../store/testing/hosts.ts";
import { LEADER, type TestPlatform } from "./platform.ts";

/** Has a workspace served by a host that answers by these routes. */
export async function serveWorkspace(
  { store, deps }: TestPlatform,
  id: string,
  routes: (router: ConnectRouter) => void,
): Promise<void> {
  const interceptors = createInterceptors(createRecordingLog());
  const host = createRouterTransport(routes, { router: { interceptors } });
  Object.assign(deps, { dial: () => host });
  await store.saveHostReport(aHostReport(), 2_000, 0);
  const change = { kind: "place", workspaceId: id, hostId: "host_a", epoch: 1, placement: 1, because: "" } as const;
  const lease = await store.takeLease(...LEADER);
  await store.commitHosting({ changes: [change], silenced: new Map(), gone: [], lost: [] }, lease, 0);
  const workspaces = [aHostedStatus({ workspaceId: id })];
  await store.saveHostReport(aHostReport({ seq: 2, workspaces }), 2_000, 0);
}
