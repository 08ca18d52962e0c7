import { SkepError } from "@skep/core/error.ts";

/**
 * Every NATS subject, built and parsed here and nowhere else. `v1` changes only when old and new
 * programs must not hear each other at all; smaller changes are handled by the version fields of
 * the messages.
 */
const ROOT = "skep.v1";

/** Queue group of the schedulers that take requests of agents: one of them gets each. */
export const ABSORB_QUEUE = "absorb";

/** Subjects that have one message stream for the whole platform. */
export const SUBJECTS = {
  /** Wake: a hint to the leader. */
  wake: `${ROOT}.wake`,
  /** EventNotice: a hint to every scheduler. */
  events: `${ROOT}.events`,
} as const;

/**
 * Kinds of subjects that end in a node's id, and who sends on them: the node's agent, or the
 * schedulers.
 */
const NODE_SUBJECTS = {
  beat: "agent",
  report: "agent",
  fetch: "agent",
  spec: "agent",
  lease: "agent",
  find: "agent",
  swarm: "agent",
  assign: "scheduler",
  names: "scheduler",
  ask: "scheduler",
} as const;

/**
 * One of them. `beat`, `swarm` (SwarmNodes, of managers), `assign` and `names` are published; the
 * others are requests.
 */
export type NodeSubject = keyof typeof NODE_SUBJECTS;

const KINDS = Object.keys(NODE_SUBJECTS) as NodeSubject[];

/**
 * The subject of one node, for example `skep.v1.beat.z9k2`.
 * @throws SkepError `invalid_argument` `BAD_NODE_ID` where the id could not be one token of a
 * subject.
 */
export function nodeSubject(kind: NodeSubject, nodeId: string): string {
  if (!/^[A-Za-z0-9_-]{1,128}$/.test(nodeId))
    throw new SkepError(
      "invalid_argument",
      "BAD_NODE_ID",
      `"${nodeId}" cannot be a node's id: it must be letters, digits, dashes and underscores.`,
    );
  return `${ROOT}.${kind}.${nodeId}`;
}

/** The subscription to a kind of subject for every node. */
export function everyNode(kind: NodeSubject): string {
  return `${ROOT}.${kind}.*`;
}

/** The kind and node of a subject, or `undefined` where it is not a subject of a node. */
export function parseNodeSubject(subject: string): { readonly kind: NodeSubject; readonly nodeId: string } | undefined {
  const [, kind, nodeId] = /^skep\.v1\.([a-z]+)\.([A-Za-z0-9_-]{1,128})$/.exec(subject) ?? [];
  if (kind === undefined || nodeId === undefined || !Object.hasOwn(NODE_SUBJECTS, kind)) return undefined;
  return { kind: kind as NodeSubject, nodeId };
}

/** First token of the inboxes of one node's agent. */
export function nodeInbox(nodeId: string): string {
  return `_INBOX_node.${nodeId}`;
}

/** What the agent of one node may do on the bus, beside answering questions that were put to it. */
export function nodePermissions(nodeId: string): {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
} {
  const sentBy = (who: "agent" | "scheduler"): readonly string[] =>
    KINDS.filter(kind => NODE_SUBJECTS[kind] === who).map(kind => nodeSubject(kind, nodeId));
  return { publish: sentBy("agent"), subscribe: [...sentBy("scheduler"), `${nodeInbox(nodeId)}.>`] };
}
