import { createHash } from "node:crypto";
import {
  contentOfPart,
  decodeDirectoryFetch,
  encodeDirectoryNews,
  fitsMessage,
  type DirectoryFetch,
  type PartContent,
} from "@skep/api/codec/directory.ts";
import { everyNode, nodeSubject } from "@skep/api/subjects.ts";
import type { Decision } from "@skep/core/model/decision.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { TenantId } from "@skep/core/model/tenant.ts";
import { directoriesOf, type Directories, type NodeDirectory } from "@skep/core/network/directory.ts";
import { digestOfParts, keyOfPart, type DirectoryNews, type DirectoryPart } from "@skep/core/network/held-directory.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Beats } from "./beats.ts";
import type { Leadership } from "./leader.ts";
import { createListen } from "./listen.ts";
import type { LoopPorts, Running } from "./ports.ts";
import type { Senders } from "./senders.ts";
import { createUnreadable } from "./unreadable.ts";

/** What a leader tells the nodes of names and of each other. */
export interface Directory extends Running {
  /** Tells each node what of it changed. */
  tell(world: World): void;
}

/** What it works with beside the ports. */
export interface DirectoryOptions {
  readonly leadership: Pick<Leadership, "term" | "identity">;
  readonly beats: Pick<Beats, "isRefused">;
  readonly senders: Pick<Senders, "isGenuine">;
  /** Records what a person has to know. */
  readonly say: (decisions: readonly Decision[]) => void;
}

/** A message may be lost: each node is told so often by what all of it is recognised. */
const REMIND_MS = 10_000;

type Parts = ReadonlyMap<string, DirectoryPart>;
const NO_PARTS: Parts = new Map();

/** What the nodes were told, and what they are told next. */
interface Telling {
  /** Tells a node what changed. */
  node(nodeId: NodeId, directory: NodeDirectory): void;
  /** Tells all nodes by what all of it is recognised. */
  remind(): void;
  /** What a node lacks. */
  lacking(fetch: DirectoryFetch): Uint8Array;
  forgetOthers(known: Directories): void;
}

function createTelling(
  { bus, clock, log }: Pick<LoopPorts, "bus" | "clock" | "log">,
  { leadership, say }: Pick<DirectoryOptions, "leadership" | "say">,
): Telling {
  const told = new Map<NodeId, Parts>();
  const alarmed = new Set<TenantId>();
  const { incarnation } = leadership.identity;
  // Each message has a number of its own, so that a late one is known.
  let seq = 0;

  function newsFor(nodeId: NodeId, parts: readonly DirectoryPart[], gone: readonly string[]): Uint8Array {
    const digest = digestOfParts((told.get(nodeId) ?? NO_PARTS).values());
    const news: DirectoryNews = { incarnation, term: leadership.term, seq: ++seq, digest, parts, gone };
    return encodeDirectoryNews(nodeId, news, bus.maxPayload());
  }

  function publish(nodeId: NodeId, parts: readonly DirectoryPart[], gone: readonly string[]): void {
    bus.publish(nodeSubject("names", nodeId), newsFor(nodeId, parts, gone));
  }

  function alarm(tenants: readonly TenantId[]): void {
    const news = tenants.filter(tenantId => !alarmed.has(tenantId));
    for (const tenantId of news) alarmed.add(tenantId);
    const decisions = news.map(tenantId => leftOutOf(tenantId, clock.now()));
    for (const { kind, sentence, tenantId } of decisions) log.warn(kind, sentence, { tenantId });
    if (decisions.length > 0) say(decisions);
  }

  return {
    node: (nodeId, directory) => {
      const { parts, leftOut } = partsOf(directory, bus.maxPayload());
      alarm(leftOut);
      const before = told.get(nodeId);
      told.set(nodeId, parts);
      // What it holds is not known: it asks for what it lacks, which is mostly nothing.
      if (before === undefined) return publish(nodeId, [], []);
      const changed = [...parts.values()].filter(part => before.get(keyOfPart(part))?.digest !== part.digest);
      const gone = [...before.keys()].filter(key => !parts.has(key));
      if (changed.length + gone.length > 0) publish(nodeId, changed, gone);
    },
    remind: () => {
      for (const nodeId of told.keys()) publish(nodeId, [], []);
    },
    lacking: ({ nodeId, held }) => {
      const parts = told.get(nodeId) ?? NO_PARTS;
      const lacking = [...parts.values()].filter(part => held.get(keyOfPart(part)) !== part.digest);
      return newsFor(
        nodeId,
        lacking,
        [...held.keys()].filter(key => !parts.has(key)),
      );
    },
    forgetOthers: ({ nodes }) => {
      for (const nodeId of told.keys()) if (!nodes.has(nodeId)) told.delete(nodeId);
    },
  };
}

/**
 * Makes it for a term. The leader alone tells and answers: it has just looked at the records, and
 * what several replicas say at once would have no order.
 */
export function createDirectory(ports: LoopPorts, options: DirectoryOptions): Directory {
  const { bus, loops } = ports;
  const { beats, senders } = options;
  const telling = createTelling(ports, options);
  let known: Directories | undefined;
  const unreadable = createUnreadable(ports, "message.unreadable");
  const subscription = createListen(ports, unreadable)(everyNode("find"), "request for names", message => {
    const fetch = decodeDirectoryFetch(message.data);
    if (!senders.isGenuine(message.subject, fetch.nodeId) || beats.isRefused(fetch.nodeId, fetch.sessionId)) return;
    // Before the first look nothing is known: the node asks again.
    if (known !== undefined) message.reply(telling.lacking(fetch));
  });
  const loop = loops.begin("directory", async () => telling.remind(), { minGapMs: 1_000, periodMs: REMIND_MS });
  return {
    tell: world => {
      if (!bus.connected()) return;
      const before = known;
      known = directoriesOf(world, before);
      for (const [id, directory] of known.nodes) if (directory !== before?.nodes.get(id)) telling.node(id, directory);
      telling.forgetOthers(known);
    },
    close: async () => {
      subscription.close();
      unreadable.close();
      await loop.close();
    },
  };
}

/** What a directory's parts are, by their keys; what no message takes is left out and named. */
function partsOf(
  directory: NodeDirectory,
  maxPayload: number,
): { readonly parts: Parts; readonly leftOut: TenantId[] } {
  const leftOut = [...directory.leftOut];
  const parts = new Map<string, DirectoryPart>();
  const contents: readonly PartContent[] = [
    { kind: "network", network: directory.network },
    ...directory.tenants.map((names): PartContent => ({ kind: "tenant", names })),
  ];
  for (const content of contents) {
    const { digest, isSendable } = weighed(content, maxPayload);
    const part: DirectoryPart = { ...content, digest };
    if (isSendable) parts.set(keyOfPart(part), part);
    else if (part.kind === "tenant") leftOut.push(part.names.tenantId);
  }
  return { parts, leftOut };
}

interface Weighed {
  readonly digest: bigint;
  readonly isSendable: boolean;
}

/** The same content is the same object, so each is hashed once. */
const weights = new WeakMap<object, Weighed>();

function weighed(content: PartContent, maxPayload: number): Weighed {
  const key = content.kind === "network" ? content.network : content.names;
  const known = weights.get(key);
  if (known !== undefined) return known;
  const bytes = contentOfPart(content);
  const hash = createHash("sha256").update(content.kind).update(bytes).digest();
  const made = { digest: hash.readBigUInt64BE(), isSendable: fitsMessage(bytes, maxPayload) };
  weights.set(key, made);
  return made;
}

function leftOutOf(tenantId: TenantId, at: number): Decision {
  const sentence = `Tenant ${tenantId} has more instances than nodes can be told of: some are not found by their names. Split it into several tenants.`;
  return { ...NOTHING, at, kind: "network.names-left-out", tenantId, sentence };
}

const NOTHING = { deploymentId: undefined, instanceId: undefined, nodeId: undefined, epoch: undefined } as const;
