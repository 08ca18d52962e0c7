import type { NodeId } from "../model/node.ts";

/** What a scheduler has received from one life of an agent. */
export interface HeardSession {
  readonly sessionId: string;
  /** Of its newest beat. */
  readonly seq: number;
  /** When its last new beat came. */
  readonly atMs: number;
  /** New beats since the first beat of another session of the node. */
  readonly beside: number;
  readonly isRefused: boolean;
}

/** Two agents that send as one node at the same time. */
export interface Clone {
  readonly nodeId: NodeId;
  /** The session that began earlier: it stays the node's. */
  readonly kept: string;
  readonly refused: string;
}

/** How many new beats of each show that both live; one that ended has fewer late beats. */
const BEATS_BESIDE = 3;
/** After this silence of the others a refused session is taken: it may be all that the node has. */
const SILENT_MS = 30_000;

/**
 * Takes a beat in. An agent that starts anew has a new session, and the old one is silent. Where
 * both beat on, two machines have one node's id and key: the one with fewer beats began later, and
 * is refused. Every scheduler receives the same beats and comes to the same answer.
 */
export function hearSession(
  known: readonly HeardSession[],
  beat: { readonly sessionId: string; readonly seq: number },
  nowMs: number,
): readonly HeardSession[] {
  const { sessionId, seq } = beat;
  const others = known.filter(one => one.sessionId !== sessionId && nowMs - one.atMs < SILENT_MS);
  const before = known.find(one => one.sessionId === sessionId);
  if (before !== undefined && seq <= before.seq) return known;
  if (before === undefined) {
    const fresh = { sessionId, seq, atMs: nowMs, beside: 0, isRefused: false };
    return [...others.map(one => ({ ...one, beside: 0 })), fresh];
  }
  const isAlone = others.every(one => one.isRefused);
  const heard = { ...before, seq, atMs: nowMs, beside: before.beside + 1, isRefused: before.isRefused && !isAlone };
  return judge([...others, heard]);
}

/** Whether what this session says does not count, because another one is the node's. */
export function isRefusedSession(known: readonly HeardSession[], sessionId: string, nowMs: number): boolean {
  return known.some(one => one.sessionId === sessionId && one.isRefused) && keeper(known, nowMs) !== undefined;
}

/** The sessions of a node that are refused at present, with the one that is kept. */
export function clonesOf(nodeId: NodeId, known: readonly HeardSession[], nowMs: number): readonly Clone[] {
  const kept = keeper(known, nowMs)?.sessionId;
  if (kept === undefined) return [];
  return known
    .filter(one => one.isRefused && nowMs - one.atMs < SILENT_MS)
    .map(({ sessionId }) => ({ nodeId, kept, refused: sessionId }));
}

function judge(sessions: readonly HeardSession[]): readonly HeardSession[] {
  const living = sessions.filter(one => !one.isRefused && one.beside >= BEATS_BESIDE).toSorted(byAge);
  if (living.length < 2) return sessions;
  const later = new Set(living.slice(1));
  return sessions.map(one => (later.has(one) ? { ...one, isRefused: true } : one));
}

function keeper(known: readonly HeardSession[], nowMs: number): HeardSession | undefined {
  return known.filter(one => !one.isRefused && nowMs - one.atMs < SILENT_MS).toSorted(byAge)[0];
}

/** Longest beating first; the id decides between equals, so that all schedulers agree. */
function byAge(one: HeardSession, other: HeardSession): number {
  return other.seq - one.seq || (one.sessionId < other.sessionId ? -1 : 1);
}
