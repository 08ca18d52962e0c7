import { create, toJsonString } from "@bufbuild/protobuf";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { NodeChange } from "@skep/api/codec/ask.ts";
import { NodeSchema } from "@skep/api/gen/skep/v1/node_pb.ts";
import type { NodeService, WatchNodesResponseSchema } from "@skep/api/gen/skep/v1/node_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { principalKey } from "@skep/server/auth.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import { CONTROL_LABEL } from "@skep/core/model/node.ts";
import type { NodeRecord, Store } from "../store/store.ts";
import type { ApiDeps } from "./deps.ts";
import { assertDrainKeepsPlatform } from "./drain-guard.ts";
import { nodeToProto } from "./encode.ts";
import { pageRequest } from "./lookups.ts";
import { changeNode } from "./node-ask.ts";
import { watch } from "./watch.ts";

/** The Swarm nodes. */
export function nodeHandlers(deps: ApiDeps): ServiceImpl<typeof NodeService> {
  const { store, bus, clock, wake } = deps;
  const change = async (
    name: string,
    wanted: NodeChange,
    context: HandlerContext,
    check?: (nodes: readonly NodeRecord[], found: NodeRecord) => void,
  ): Promise<{ node: ReturnType<typeof nodeToProto> }> => {
    const nodes = await store.listNodes();
    const found = findNode(nodes, name);
    check?.(nodes, found);
    // The Swarm's answer is newer than our record, which follows when its manager reports.
    const after = await changeNode(bus, nodes, found.node.id, wanted);
    await store.saveDecisions([orderOf(found, wanted, context.values.get(principalKey).name, clock.now())]);
    wake(`node ${found.node.hostname}: ${wanted.action}`);
    const { availability, labels } = after ?? found.node;
    return { node: nodeToProto({ ...found, node: { ...found.node, availability, labels } }) };
  };
  return {
    listNodes: async request => {
      const { size, token } = pageRequest(request);
      const nodes = (await store.listNodes()).toSorted((a, b) => (a.node.id < b.node.id ? -1 : 1));
      const rest = nodes.filter(({ node }) => token === undefined || node.id > token);
      const page = rest.slice(0, size);
      const next = rest.length > page.length ? (page.at(-1)?.node.id ?? "") : "";
      return { nodes: page.map(nodeToProto), nextPageToken: next };
    },
    getNode: async ({ nodeId }) => ({ node: nodeToProto(findNode(await store.listNodes(), nodeId)) }),
    watchNodes: (_, context) => watchNodes(deps, context.signal),
    drainNode: ({ nodeId, force }, context) =>
      change(nodeId, { action: "drain" }, context, force ? undefined : assertDrainKeepsPlatform),
    activateNode: ({ nodeId }, context) => change(nodeId, { action: "activate" }, context),
    pauseNode: ({ nodeId }, context) => change(nodeId, { action: "pause" }, context),
    revokeNode: ({ nodeId }, context) => rekey(deps, nodeId, "revoke", context),
    rejoinNode: ({ nodeId }, context) => rekey(deps, nodeId, "rejoin", context),
    labelNode: ({ nodeId, set, remove }, context) => {
      refuseLabels(set, remove);
      return change(nodeId, { action: "label", set, remove }, context);
    },
  };
}

/** @throws SkepError `invalid_argument` `LABELS_INVALID` for what would be dropped or unheeded. */
function refuseLabels(set: Readonly<Record<string, string>>, remove: readonly string[]): void {
  const refuse = (sentence: string): SkepError => new SkepError("invalid_argument", "LABELS_INVALID", sentence);
  if (Object.keys(set).length + remove.length === 0)
    throw refuse("The request names no label: send `set` with keys and values, or `remove` with keys.");
  const both = remove.find(key => Object.hasOwn(set, key));
  if (both !== undefined) throw refuse(`The label ${both} is to be set and removed at once: send one of them.`);
  const control = Object.hasOwn(set, CONTROL_LABEL) ? set[CONTROL_LABEL]! : "true";
  if (control !== "true" && control !== "false")
    throw refuse(
      `The label ${CONTROL_LABEL} is "${control}", which says nothing: set it to true or false, or remove it.`,
    );
}

/**
 * Takes a node's key out of use, or lets its next agent bring a new one; the records alone say
 * which nodes may join the bus.
 */
async function rekey(
  { store, clock, wake, keysChanged }: ApiDeps,
  name: string,
  action: "revoke" | "rejoin",
  context: HandlerContext,
): Promise<{ node: ReturnType<typeof nodeToProto> }> {
  const found = findNode(await store.listNodes(), name);
  const { id, hostname } = found.node;
  if (action === "revoke") await store.revokeNode(id, clock.now());
  else await store.rejoinNode(id);
  const actor = context.values.get(principalKey).name;
  const sentence =
    action === "revoke"
      ? `${actor} revoked node ${hostname}: nothing that it says counts any more`
      : `${actor} let node ${hostname} join again: its next agent brings a new key`;
  await store.saveDecisions([{ ...NOBODY, at: clock.now(), kind: `node-${action}`, nodeId: id, sentence }]);
  keysChanged();
  wake(`node ${hostname}: ${action}`);
  return { node: nodeToProto(found) };
}

const NOBODY = { tenantId: undefined, deploymentId: undefined, instanceId: undefined, epoch: undefined } as const;

/**
 * A node by id, or by a hostname that only one has. @throws SkepError `not_found` or
 * `failed_precondition`.
 */
export function findNode(nodes: readonly NodeRecord[], name: string): NodeRecord {
  const byId = nodes.find(({ node }) => node.id === name);
  const byHostname = nodes.filter(({ node }) => node.hostname === name);
  const found = byId ?? byHostname[0];
  if (byId === undefined && byHostname.length > 1)
    throw new SkepError(
      "failed_precondition",
      "HOSTNAME_AMBIGUOUS",
      `${byHostname.length} nodes have the hostname ${name}. Name one by its id: ${byHostname.map(({ node }) => node.id).join(", ")}.`,
    );
  if (found !== undefined) return found;
  throw new SkepError(
    "not_found",
    "NODE_NOT_FOUND",
    `There is no node ${name}. Known are: ${nodes.map(({ node }) => node.hostname).join(", ") || "none, because no agent has reported yet"}.`,
    { details: { nodeId: name } },
  );
}

/** How Swarm makes ids. */
const SWARM_ID = /^[a-z0-9]{25}$/;

/**
 * The id that a filter means by an id or a hostname; `""` for none. The id of a node that has left
 * stays one: its events are kept. @throws SkepError as `findNode`, for nothing would be shown.
 */
export async function filteredNode(store: Pick<Store, "listNodes">, name: string): Promise<string> {
  if (name === "" || SWARM_ID.test(name)) return name;
  return findNode(await store.listNodes(), name).node.id;
}

/** The Swarm keeps no record of who asked for a change of a node, so the events do. */
function orderOf({ node }: NodeRecord, change: NodeChange, actor: string, at: number): Decision {
  const labels =
    change.action === "label"
      ? ` ${[...Object.entries(change.set).map(([key, value]) => `${key}=${value}`), ...change.remove.map(key => `${key}-`)].join(" ")}`
      : "";
  return {
    at,
    kind: `node-${change.action}`,
    tenantId: undefined,
    deploymentId: undefined,
    instanceId: undefined,
    nodeId: node.id,
    epoch: undefined,
    sentence: `${actor} asked to ${change.action} node ${node.hostname}${labels}`,
  };
}

async function* watchNodes(
  deps: ApiDeps,
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchNodesResponseSchema>> {
  const steps = watch({ clock: deps.clock, hints: deps.hints, signal }, async () => {
    const nodes = await deps.store.listNodes();
    return {
      items: new Map(
        nodes.map(record => {
          const item = create(NodeSchema, nodeToProto(record));
          // Beats alone are no change: a watcher would otherwise get every node each second.
          const { seenAt: _, load: __, ...rest } = item;
          return [item.id, { item, print: toJsonString(NodeSchema, create(NodeSchema, rest)) }];
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
