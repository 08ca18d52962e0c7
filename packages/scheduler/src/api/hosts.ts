import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { hostAnswerToProto, hostAssignmentToProto, hostReportFromProto } from "@skep/api/codec/host.ts";
import type { HostService } from "@skep/api/gen/skep/v1/host_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostReport } from "@skep/core/workspace/host-report.ts";
import { isHostAddress } from "@skep/core/workspace/reach.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import { toUint64 } from "@skep/api/codec/number.ts";
import { ruleToProto } from "@skep/api/codec/rule.ts";
import { refuse } from "../store/refusals.ts";
import { principalKey } from "@skep/server/auth.ts";
import { peerKey } from "@skep/server/client.ts";
import { POD_EVENTS_PORT } from "@skep/core/workspace/pod.ts";
import type { PodStore } from "../store/pod-store.ts";
import { createHostTokens } from "../join/host-tokens.ts";
import { HOLD_MS } from "../loop/host-watch.ts";
import type { ApiDeps } from "./deps.ts";
import { createBell } from "./watch.ts";

/** Reads for one host are at least this far apart, however many hints come. */
const GAP_MS = 100;
/** And at most this far, though no hint came. */
const PERIOD_MS = 2_000;

/** What processes that run workspaces ask. Any replica answers, out of the records. */
export function hostHandlers(deps: ApiDeps): ServiceImpl<typeof HostService> {
  const { store, clock } = deps;
  const tokens = createHostTokens(deps);
  return {
    enrol: async ({ identity }, context) => {
      const { workspaceId } = context.values.get(principalKey).host ?? {};
      return { ...(await tokens.enrol(identity, workspaceId)), workspaceId: workspaceId ?? "" };
    },
    attach: async function* ({ hostId }, context) {
      requireHost(context, hostId);
      for await (const assignment of assignmentsOf(deps, hostId, context.signal))
        yield { assignment: hostAssignmentToProto(assignment) };
    },
    loadRules: async ({ hostId, workspaceId }, context) => {
      requireHost(context, hostId);
      const holder = (await store.locateWorkspaces([workspaceId])).get(workspaceId);
      if (holder?.hostId !== hostId) throw notHeld(hostId, workspaceId);
      const loaded = await store.loadRules(workspaceId);
      if (loaded === undefined) throw refuse.noWorkspace(workspaceId);
      // After the version: what is newer is asked for again.
      const webhooks = (await store.loadWebhooks(workspaceId)).map(({ name, url, secret }) => ({ name, url, secret }));
      return { rulesVersion: toUint64(loaded.rulesVersion), rules: loaded.records.map(ruleToProto), webhooks };
    },
    report: async (request, context) => {
      const told = hostReportFromProto(request);
      const report = { ...told, ...(await reachOf(store, told, context.values.get(peerKey))) };
      requireHost(context, report.hostId, report.workspaceId ?? "");
      const { answer, changed } = await store.saveHostReport(report, HOLD_MS, clock.now());
      if (changed) deps.wake(`host ${report.hostId}: reported`);
      return hostAnswerToProto(answer);
    },
  };
}

/**
 * A shared host may name its own address, since an operator runs it. One that a tenant has to
 * himself is where its pod is, so that nobody has edges and schedulers call somebody else; one
 * without a pod is where it speaks from.
 */
async function reachOf(
  store: Pick<PodStore, "locatePod">,
  { address, eventsPort, workspaceId, nodeId }: HostReport,
  peer: string,
): Promise<Pick<HostReport, "address" | "eventsPort" | "nodeId">> {
  const origin = isHostAddress(peer) ? peer : "";
  if (workspaceId === undefined) return { nodeId, address: address === "" ? origin : address, eventsPort };
  const pod = await store.locatePod(workspaceId, POD_EVENTS_PORT);
  if (!pod.isThere) return { nodeId, address: origin, eventsPort };
  return { nodeId: pod.nodeId || nodeId, address: pod.address?.host ?? "", eventsPort: pod.address?.port ?? 0 };
}

/** What a host is to run, at once where it is recorded, and after each change. */
async function* assignmentsOf(deps: ApiDeps, hostId: HostId, signal: AbortSignal): AsyncGenerator<HostAssignment> {
  const { store, clock } = deps;
  const bell = createBell(deps.hints, signal);
  const moving = { times: deps.moveTimes, edgePort: deps.podEdgePort };
  let sent = "";
  try {
    while (!signal.aborted) {
      bell.quiet();
      const startedAt = clock.monotonic();
      const assignment = await store.loadHostAssignment(hostId, moving);
      const print = JSON.stringify(assignment) ?? "";
      if (assignment !== undefined && print !== sent) yield assignment;
      sent = print;
      await clock.sleep(startedAt + GAP_MS - clock.monotonic(), signal);
      await bell.rung(clock, startedAt + PERIOD_MS - clock.monotonic());
    }
  } finally {
    bell.close();
  }
}

/**
 * A host speaks for itself and its own workspace only. The gate let in operators too, who may do
 * everything. @throws SkepError `permission_denied` `ANOTHER_HOST`.
 */
function requireHost(context: HandlerContext, hostId: HostId, workspaceId?: string): void {
  const { kind, name, host } = context.values.get(principalKey);
  if (kind !== "host") return;
  const isOwn = host?.hostId === hostId && (workspaceId === undefined || workspaceId === (host.workspaceId ?? ""));
  if (isOwn) return;
  const what = host?.hostId === hostId ? `as the host of ${workspaceId || "many workspaces"}` : `as host ${hostId}`;
  throw new SkepError(
    "permission_denied",
    "ANOTHER_HOST",
    `${name} may not speak ${what}: its token is for itself. Enrol for a token of your own.`,
  );
}

/** A host reads nothing of what is another one's. */
function notHeld(hostId: HostId, workspaceId: string): SkepError {
  return new SkepError(
    "permission_denied",
    "ANOTHER_HOST",
    `Host ${hostId} does not have the workspace ${workspaceId}; its assignment says what it has.`,
  );
}
