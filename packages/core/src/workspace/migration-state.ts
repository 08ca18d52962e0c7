import type { Mode, WorkspaceId } from "./connector.ts";

/** The two places of a workspace while it moves: where it was, and where it goes. */
export type Side = "source" | "target";

/**
 * How far a move is. Up to `compare` the source reads what devices send. From `switch` on devices
 * send to the target's broker, which keeps it, while the source reads what is left at its own
 * (`drain`); in `cut-over` nobody reads, from `verify` on the target does.
 *
 * The way back after `compare`: in `halt` nobody reads and devices are sent back to the source's
 * broker; in `withdraw` the target reads what comes to its own until every gate has done so, in
 * `empty` what is left there; in `back` nobody reads, and in `returned` the source. In `apart` the
 * target cannot read what is left: the source reads, and the way back goes on once the target is
 * there again.
 */
export type MigrationStage =
  | ("prepare" | "copy" | "follow" | "both" | "compare" | "switch" | "drain" | "cut-over" | "verify" | "done")
  | ("halt" | "withdraw" | "empty" | "apart" | "back" | "returned");

/** A window of time in which both databases were compared, by the keys of their messages. */
export interface Comparison {
  /** By the host's clock, in ms. */
  readonly from: number;
  /** Not part of it any more. */
  readonly until: number;
  readonly compared: number;
  /** Keys that one side lacks: how many, and the first of them. */
  readonly missing: Readonly<Record<Side, { readonly count: number; readonly first: readonly string[] }>>;
}

/** A workspace that moves from one mode to the other. */
export interface Migration {
  readonly workspaceId: WorkspaceId;
  readonly from: Mode;
  readonly to: Mode;
  readonly stage: MigrationStage;
  /** Grows with each stage: what somebody says of another step does not count. */
  readonly step: number;
  /** When the move began, and its stage. */
  readonly startedAt: number;
  readonly since: number;
  /** What was copied when it last changed, and when that was. */
  readonly copied: number;
  readonly copiedAt: number;
  /** Since when a side is away that is needed for each message; `undefined` where none is. */
  readonly lostAt: number | undefined;
  /** Who wants it back, for people; empty for nobody. */
  readonly abort: string;
  /** Why it is where it is; where it goes back, what differed. */
  readonly because: string;
}

/** What is known of both sides in the present step. */
export interface MigrationFacts {
  /** Whether a side runs, and its database answers. */
  readonly isReady: Readonly<Record<Side, boolean>>;
  /** The target's session is at its broker, which keeps what devices send for it. */
  readonly targetIsSubscribed: boolean;
  /** Messages that were copied in all. */
  readonly copied: number;
  /** Everything that was stored when the move began is at the target. */
  readonly isCopied: boolean;
  /** Messages that a side lacks of the other's at present; `undefined` where that is not known. */
  readonly lacks: Readonly<Record<Side, number | undefined>>;
  /** The reader that there is now stores into both databases before it acknowledges. */
  readonly isBoth: boolean;
  /** Whether a side may read a message yet: `false` only where it let go, or its lease is over. */
  readonly mayRead: Readonly<Record<Side, boolean>>;
  /**
   * Gates that may still have devices of the workspace at the broker that they are to leave, by
   * name; `undefined` where that is not known.
   */
  readonly gatesBehind: readonly string[] | undefined;
  /**
   * How long the reader has had nothing left to read since every gate was there, in ms;
   * `undefined` where that is not known.
   */
  readonly quietMs: number | undefined;
  /** The latest comparison. */
  readonly comparison: Comparison | undefined;
  /** What went wrong and mends itself no more; empty for nothing. */
  readonly fault: string;
}

/** What is compared: all that was received since `from`, once the order is `afterMs` old. */
export interface CompareOrder {
  readonly from: number;
  readonly afterMs: number;
  /** What was stored this lately is left out: it may be under way to one of them. */
  readonly settleMs: number;
}

/** What both sides are told. */
export interface MigrationOrders {
  readonly reader: Side | undefined;
  /** Sides that run without reading. */
  readonly standby: readonly Side[];
  /** Whose broker devices are sent to. */
  readonly devicesAt: Side;
  /** Which side is given what it lacks of the other's. */
  readonly copyTo: Side | undefined;
  /** Whether the reader stores into both databases. */
  readonly storesBoth: boolean;
  /** Absent where nothing is to be compared. */
  readonly compare?: CompareOrder;
}

/** How long things may take; all in ms. */
export interface MigrationTimes {
  /** A stage that gets no further for this long goes back. */
  readonly stuckMs: number;
  /** So long may nobody read; the brokers keep what devices send meanwhile. */
  readonly nobodyReadsMs: number;
  /** So long may the reader wait for the side at which it has to store, too. */
  readonly lostMs: number;
  /** So long the target reads, and stores into both, before it is compared once more. */
  readonly verifyMs: number;
  /** See `CompareOrder`. */
  readonly settleMs: number;
  /** A broker from which nothing came for this long has nothing left. */
  readonly quietMs: number;
  /**
   * A gate that has told nothing for this long is not waited for. What its devices send to a broker
   * that is not read any more it does not acknowledge.
   */
  readonly gateSilentMs: number;
}
