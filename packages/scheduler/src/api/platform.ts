import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { saysLeftOut } from "@skep/api/codec/assignment-pack.ts";
import { eventToProto } from "@skep/api/codec/notice.ts";
import type {
  GetStatusResponseSchema,
  OrphanSchema,
  PlatformService,
  WatchEventsRequest,
  WatchEventsResponseSchema,
} from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { isLive } from "@skep/core/model/state.ts";
import type { PlatformIdentity } from "@skep/core/identity/platform-identity.ts";
import type { World } from "@skep/core/world/world.ts";
import { cloneSentence } from "../loop/clones.ts";
import { sentenceOf, unprovenSentence } from "../loop/records-guard.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { Lease, Orphan } from "../store/store.ts";
import { changeRequest } from "./caller.ts";
import type { ApiDeps } from "./deps.ts";
import { filteredNode } from "./nodes.ts";
import { recover } from "./recover.ts";
import { WATCH_GAP_MS, WATCH_PERIOD_MS, createBell } from "./watch.ts";

/**
 * How far back a follower reads again: decisions of several schedulers may be saved a little out of
 * order.
 */
const OVERLAP_MS = 5_000;
/** Events of one message. */
const MOST_EVENTS = 500;

/** The platform as a whole. */
export function platformHandlers(deps: ApiDeps): ServiceImpl<typeof PlatformService> {
  return {
    getStatus: async () => {
      const { store } = deps;
      const [world, lease, identity, orphans, revoked] = await Promise.all([
        store.loadWorld(),
        store.readLease(),
        store.loadIdentity(),
        store.listOrphans(),
        store.listRevokedNodes(),
      ]);
      return statusToProto(deps, { world, lease, identity, orphans, revoked });
    },
    recover: (request, context) => recover(deps, request, changeRequest({ idempotencyKey: "" }, context)),
    watchEvents: (request, context) => watchEvents(deps, request, context.signal),
  };
}

/** What a status is made from. */
interface StatusRecords {
  readonly world: World;
  readonly lease: Lease | undefined;
  readonly identity: PlatformIdentity;
  readonly orphans: readonly Orphan[];
  readonly revoked: readonly string[];
}

function statusToProto(
  deps: ApiDeps,
  { world, lease, identity, orphans, revoked }: StatusRecords,
): MessageInitShape<typeof GetStatusResponseSchema> {
  const leads = lease !== undefined && lease.expiresInMs > 0 ? lease : undefined;
  const recorded = new Map(world.locations.map(one => [`${one.instanceId}@${one.epoch}`, one.state] as const));
  const states = world.instances.map(({ id, epoch }) => recorded.get(`${id}@${epoch}`) ?? "pending");
  return {
    version: deps.version,
    replica: deps.replica,
    ...(leads === undefined
      ? {}
      : { leader: { holder: leads.holder, term: BigInt(leads.term), expiresInMs: Math.round(leads.expiresInMs) } }),
    replicas: deps.replicas().map(replica => ({
      name: replica.name,
      version: replica.version,
      // A replica that was killed as it led stands there as leading for a minute.
      leading: replica.holder === leads?.holder,
      seenAt: timestampFromMs(Math.round(replica.seenAt)),
    })),
    nodes: countWords(world.nodes.map(node => node.liveness)),
    instances: countWords(states),
    tenants: world.tenants.length,
    deployments: world.deployments.length,
    frozen: deps.frozen(),
    warnings: [...recordsWarnings(deps, world, identity), ...warningsOf(deps, world, leads !== undefined, revoked)],
    incarnation: identity.incarnation,
    unrecovered: identity.unrecovered === undefined ? "" : sentenceOf(identity.unrecovered.because),
    orphans: orphans.map(orphan => orphanToProto(orphan, world)),
    at: timestampFromMs(deps.clock.now()),
  };
}

/** Whether the records are the fleet's, and which agents say that they are not theirs. */
function recordsWarnings(deps: ApiDeps, world: World, { unrecovered }: PlatformIdentity): readonly string[] {
  const hostnames = new Map(world.nodes.map(node => [node.id, node.hostname]));
  const refusals = deps
    .refusals()
    .map(one => `${hostnames.get(one.nodeId) ?? one.nodeId} obeys nobody: ${one.because}.`);
  const unproven = deps.unproven().map(id => unprovenSentence(hostnames.get(id) ?? id));
  const doubts = [...unproven, ...refusals];
  return unrecovered === undefined ? doubts : [sentenceOf(unrecovered.because), ...doubts];
}

function orphanToProto(orphan: Orphan, world: World): MessageInitShape<typeof OrphanSchema> {
  const { instanceId, epoch, nodeId, because, since } = orphan;
  const hostname = world.nodes.find(node => node.id === nodeId)?.hostname ?? nodeId;
  return { instanceId, epoch, nodeId, hostname, because, since: timestampFromMs(since) };
}

function warningsOf(deps: ApiDeps, world: World, hasLeader: boolean, revoked: readonly string[]): string[] {
  const down = world.nodes.filter(node => node.liveness === "down").map(node => node.hostname);
  const suspect = world.nodes.filter(node => node.liveness === "suspect").map(node => node.hostname);
  const leftOut = world.locations.filter(one => isLive(one) && saysLeftOut(one.message)).length;
  const waiting = world.instances.filter(instance => instance.desired === "run" && instance.refusal !== undefined);
  return [
    ...(hasLeader ? [] : ["No scheduler leads, so nothing is placed: look at the schedulers' logs and at Postgres."]),
    ...(deps.bus.connected()
      ? []
      : ["This scheduler has no connection to NATS: nodes are not told of changes until it is back."]),
    ...(deps.frozen()
      ? ["Too many nodes are silent at once, so nothing is moved: look at the network and at NATS before the nodes."]
      : []),
    ...(world.nodes.length === 0 ? ["No node has reported yet: look at the agents' logs."] : []),
    ...deps.clones().map(clone => cloneSentence(clone, world.nodes.find(({ id }) => id === clone.nodeId)?.hostname)),
    ...(down.length === 0
      ? []
      : [`Down: ${down.join(", ")}. Their instances are placed elsewhere; bring the nodes back or remove them.`]),
    ...(suspect.length === 0 ? [] : [`Silent: ${suspect.join(", ")}. They get no new work until they speak again.`]),
    ...(revoked.length === 0
      ? []
      : [
          `Revoked: ${revoked.join(", ")}. Nothing that they say counts; \`skep node rejoin NODE\` lets one come back.`,
        ]),
    ...(leftOut === 0
      ? []
      : [`Instances that did not fit into what their node is told: ${leftOut}. \`skep events\` says which and why.`]),
    ...deps.edgeWarnings(),
    ...(waiting.length === 0
      ? []
      : [`Instances that fit on no node: ${waiting.length}. \`skep explain NAME\` says why.`]),
  ];
}

function countWords(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

/** What is kept first, oldest first; then, with `follow`, what happens. */
async function* watchEvents(
  deps: ApiDeps,
  asked: WatchEventsRequest,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchEventsResponseSchema>> {
  const { store, clock, hints } = deps;
  const request = { ...asked, nodeId: await filteredNode(store, asked.nodeId) };
  const bell = createBell(hints, signal);
  const sent = new Map<string, number>();
  const begin = request.since === undefined ? (request.follow ? clock.now() : 0) : timestampMs(request.since);
  let sinceAt = begin;
  try {
    while (!signal.aborted) {
      bell.quiet();
      const startedAt = clock.monotonic();
      const filter = {
        sinceAt: Math.max(begin, sinceAt - OVERLAP_MS),
        ...(request.deploymentId === "" ? {} : { deploymentId: request.deploymentId }),
        ...(request.instanceId === "" ? {} : { instanceId: request.instanceId }),
      };
      let token: string | undefined;
      do {
        // Page by page: what is kept may be far more than fits into memory.
        const { items, nextToken } = await store.listDecisions(filter, { size: MOST_EVENTS, token });
        const fresh = items.filter(one => matches(request, one) && !sent.has(JSON.stringify(one)));
        for (const one of fresh) sent.set(JSON.stringify(one), one.at);
        sinceAt = items.reduce((latest, one) => Math.max(latest, one.at), sinceAt);
        for (const [print, at] of sent) if (at < sinceAt - OVERLAP_MS) sent.delete(print);
        if (fresh.length > 0) yield { events: fresh.map(eventToProto) };
        token = nextToken;
      } while (token !== undefined && !signal.aborted);
      if (!request.follow) return;
      await clock.sleep(startedAt + WATCH_GAP_MS - clock.monotonic(), signal);
      await bell.rung(clock, startedAt + WATCH_PERIOD_MS - clock.monotonic());
    }
  } finally {
    bell.close();
  }
}

function matches(request: WatchEventsRequest, decision: Decision): boolean {
  const tenant = request.tenantId === "" || decision.tenantId === request.tenantId;
  return tenant && (request.nodeId === "" || decision.nodeId === request.nodeId);
}
