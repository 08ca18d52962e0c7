import { decodeBeat, type Beat, type HeardBeat } from "@skep/api/codec/beat.ts";
import { MIN_ASSIGNMENT_READER, PROTOCOL_VERSION } from "@skep/api/codec/envelope.ts";
import { everyNode } from "@skep/api/subjects.ts";
import {
  clonesOf,
  hearSession,
  isRefusedSession,
  type Clone,
  type HeardSession,
} from "@skep/core/identity/sessions.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { BusMessage } from "@skep/kit/bus.ts";
import { createAttention } from "./attention.ts";
import type { LoopPorts, Running } from "./ports.ts";
import type { Senders } from "./senders.ts";
import { createUnreadable } from "./unreadable.ts";

/** What this scheduler has received from a node's agent. */
export interface Heard {
  readonly beat: HeardBeat | undefined;
  /** When, by `Beats.awakeMs`. */
  readonly atMs: number;
  /** When the last new beat came, and when the one before it. */
  readonly newAtMs: number | undefined;
  readonly newBeforeMs: number | undefined;
}

/**
 * What one scheduler has itself received from the agents; it takes over nothing from another one.
 */
export interface Beats extends Running {
  heard(nodeId: NodeId): Heard | undefined;
  all(): ReadonlyMap<NodeId, Heard>;
  /**
   * Ms of silence of a node that this scheduler has observed: since its last sign of life, or since
   * it began to listen.
   */
  silentMs(nodeId: NodeId): number;
  /** Ms that this scheduler has been awake: the clock by which it measures silence. */
  awakeMs(): number;
  /**
   * Since when it listens without a gap, by `awakeMs`. While the bus is away that is now: no beat
   * can come, so no node counts as silent.
   */
  listeningSinceMs(): number;
  /**
   * Ms that it has listened at all, in gaps or not. What was once received stays while the bus is
   * away.
   */
  listenedMs(): number;
  /** Whether the node's agent is of a version that would misread its assignment. */
  isTooOld(nodeId: NodeId): boolean;
  /** Agents that refuse their assignments, and why: those of an older version refuse all. */
  refusals(): readonly { readonly nodeId: NodeId; readonly because: string }[];
  /**
   * Whether another agent with this node's id was there first, and is still: nothing of this one
   * counts.
   */
  isRefused(nodeId: NodeId, sessionId: string): boolean;
  /** Nodes as which two agents send at present. */
  clones(): readonly Clone[];
  /** Another sign of life than a beat. */
  note(nodeId: NodeId): void;
  onBeat(handle: (beat: Beat) => void): { close(): void };
}

/**
 * Listens from now on. A loss of the bus is nobody's silence: afterwards the observation begins
 * anew.
 */
export function createBeats(ports: Pick<LoopPorts, "bus" | "clock" | "log">, senders: Senders): Beats {
  const { bus, clock } = ports;
  const attention = createAttention(clock);
  const heard = new Map<NodeId, Heard>();
  const sessions = new Map<NodeId, readonly HeardSession[]>();
  const handlers = new Set<(beat: Beat) => void>();
  let sinceMs = attention.ms();
  const unreadable = createUnreadable(ports, "beat.unreadable");

  const subscription = bus.subscribe(everyNode("beat"), message => {
    const beat = read(message);
    if (beat === undefined || !senders.isGenuine(message.subject, beat.nodeId)) return;
    const { nodeId, sessionId } = beat;
    sessions.set(nodeId, hearSession(sessions.get(nodeId) ?? [], beat, attention.ms()));
    if (isRefused(nodeId, sessionId)) return;
    const before = heard.get(nodeId);
    if (isOld(before?.beat, beat)) return note(nodeId);
    heard.set(nodeId, { beat, atMs: attention.ms(), newAtMs: attention.ms(), newBeforeMs: before?.newAtMs });
    for (const handle of [...handlers]) handle(beat);
  });
  let listenedMs = 0;
  let isListening = bus.connected();
  // A status is a hint: one that is doubled or late takes back nothing that was listened.
  const status = bus.onStatus(() => {
    if (isListening) listenedMs += attention.ms() - sinceMs;
    sinceMs = attention.ms();
    isListening = bus.connected();
  });
  const isRefused = (nodeId: NodeId, sessionId: string): boolean =>
    isRefusedSession(sessions.get(nodeId) ?? [], sessionId, attention.ms());
  const listeningSince = (): number => (bus.connected() ? sinceMs : attention.ms());

  function note(nodeId: NodeId): void {
    const { beat, newAtMs, newBeforeMs } = heard.get(nodeId) ?? {};
    heard.set(nodeId, { beat, newAtMs, newBeforeMs, atMs: attention.ms() });
  }

  function read({ data, subject }: BusMessage): HeardBeat | undefined {
    try {
      return decodeBeat(data);
    } catch (error) {
      unreadable.tell("beat", subject, error);
      return undefined;
    }
  }

  return {
    heard: nodeId => heard.get(nodeId),
    all: () => heard,
    awakeMs: () => attention.ms(),
    listeningSinceMs: listeningSince,
    listenedMs: () => listenedMs + (isListening ? attention.ms() - sinceMs : 0),
    silentMs: nodeId => attention.ms() - Math.max(listeningSince(), heard.get(nodeId)?.atMs ?? 0),
    isTooOld: nodeId => (heard.get(nodeId)?.beat?.protocol ?? PROTOCOL_VERSION) < MIN_ASSIGNMENT_READER,
    refusals: () => [...heard].flatMap(([nodeId, { beat }]) => refusalOf(nodeId, beat)),
    isRefused,
    clones: () => [...sessions].flatMap(([nodeId, known]) => clonesOf(nodeId, known, attention.ms())),
    note,
    onBeat: handle => {
      handlers.add(handle);
      return { close: () => void handlers.delete(handle) };
    },
    close: async () => {
      subscription.close();
      status.close();
      attention.close();
      unreadable.close();
    },
  };
}

/**
 * Whether it was doubled or overtaken: it is a sign of life all the same, but what it says is old.
 */
function isOld(known: HeardBeat | undefined, { sessionId, seq }: HeardBeat): boolean {
  return known !== undefined && known.sessionId === sessionId && known.seq >= seq;
}

function refusalOf(nodeId: NodeId, beat: HeardBeat | undefined): readonly { nodeId: NodeId; because: string }[] {
  if (beat === undefined) return [];
  const { protocol, refused } = beat;
  if (protocol >= MIN_ASSIGNMENT_READER) return refused === "" ? [] : [{ nodeId, because: refused }];
  const because = `its agent speaks version ${protocol} of the protocol and would misread an assignment, which needs version ${MIN_ASSIGNMENT_READER}; update the agent`;
  return [{ nodeId, because }];
}
