import type { NodeId, NodeLoad } from "@skep/core/model/node.ts";
import { BeatSchema, type Beat as BeatMessage } from "../gen/skep/v1/agent_pb.ts";
import { loadFromProto } from "./capacity.ts";
import { decodeMessage, encodeMessage } from "./envelope.ts";
import { fromUint64, toUint64 } from "./number.ts";
import { receiptFromProto } from "./receipt.ts";

/** The sign of life of an agent, each second. */
export interface Beat {
  readonly nodeId: NodeId;
  /** Changes when the machine boots. */
  readonly bootId: string;
  /** Changes when the agent starts. */
  readonly sessionId: string;
  /** Grows by one with each beat of the session. */
  readonly seq: number;
  /** The assignment that the agent works by; `""`, 0 and 0 for none. */
  readonly incarnation: string;
  readonly appliedTerm: number;
  readonly appliedRevision: number;
  /** The stamp of that revision; absent where it came without one. */
  readonly appliedStamp?: number;
  /** The receipt of that assignment; absent where it came without one. */
  readonly receipt?: string;
  /** Seq of the last report that was acknowledged; 0 for none. */
  readonly reportSeq: number;
  /**
   * Xor over the instances on the node of the first 64 bits of md5 of core's digest text; unsigned.
   */
  readonly digest: bigint;
  /** How many instances the digest covers. */
  readonly instances: number;
  readonly load: NodeLoad | undefined;
  /** The agent was told to end and will be silent. */
  readonly leaving: boolean;
  /** Why the last assignment that arrived was refused; `""` while none is. */
  readonly refused: string;
  /** By the agent's clock, which need not agree with anybody's. */
  readonly at: number;
}

/** Writes a beat. */
export function encodeBeat(beat: Beat): Uint8Array {
  const { load, at, ...rest } = beat;
  return encodeMessage(BeatSchema, {
    ...rest,
    appliedStamp: beat.appliedStamp ?? 0,
    seq: toUint64(beat.seq),
    appliedTerm: toUint64(beat.appliedTerm),
    appliedRevision: toUint64(beat.appliedRevision),
    reportSeq: toUint64(beat.reportSeq),
    digest: BigInt.asUintN(64, beat.digest),
    atMs: BigInt(Math.trunc(at)),
    ...(load === undefined ? {} : { load: { ...load } }),
  });
}

/** A beat as it was heard, with the version of the protocol that its agent speaks. */
export interface HeardBeat extends Beat {
  readonly protocol: number;
}

/** A bus in memory brings a beat to each who listens as the same bytes: they are read once. */
const read = new WeakMap<Uint8Array, HeardBeat>();

/**
 * Reads a beat; its bytes are not to be changed afterwards.
 * @throws SkepError as `decodeMessage`.
 */
export function decodeBeat(bytes: Uint8Array): HeardBeat {
  let beat = read.get(bytes);
  if (beat === undefined) {
    beat = beatFromProto(decodeMessage(BeatSchema, bytes));
    read.set(bytes, beat);
  }
  return beat;
}

function beatFromProto(message: BeatMessage): HeardBeat {
  return {
    protocol: message.version,
    nodeId: message.nodeId,
    bootId: message.bootId,
    sessionId: message.sessionId,
    seq: fromUint64(message.seq, "beat.seq"),
    incarnation: message.incarnation,
    refused: message.refused,
    appliedTerm: fromUint64(message.appliedTerm, "beat.applied_term"),
    appliedRevision: fromUint64(message.appliedRevision, "beat.applied_revision"),
    ...(message.appliedStamp === 0 ? {} : { appliedStamp: message.appliedStamp }),
    ...receiptFromProto(message),
    reportSeq: fromUint64(message.reportSeq, "beat.report_seq"),
    digest: message.digest,
    instances: message.instances,
    load: loadFromProto(message.load),
    leaving: message.leaving,
    at: fromUint64(message.atMs, "beat.at_ms"),
  };
}
