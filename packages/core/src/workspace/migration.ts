import type { Mode, WorkspaceId } from "./connector.ts";

/** The two places of a workspace while it moves: where it was, and where it goes. */
export type Side = "source" | "target";

/**
 * How far a move is. Up to `compare` the source reads what devices send; in `cut-over` nobody does;
 * from `verify` on the target; in `back` nobody again, and in `returned` the source.
 */
export type MigrationStage =
  "prepare" | "copy" | "follow" | "both" | "compare" | "cut-over" | "verify" | "done" | "back" | "returned";

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
  /** When the move began, and its stage. */
  readonly startedAt: number;
  readonly since: number;
  /** Of whoever reads: it grows with each change of the reader and fences the one before. */
  readonly epoch: number;
  /** What was copied in all when it last grew, and when that was. */
  readonly copied: number;
  readonly copiedAt: number;
  /** Why it is where it is; where it went back, what differed. */
  readonly because: string;
}

/** What is known of both sides. */
export interface MigrationFacts {
  /** The target runs and its database answers. */
  readonly targetIsReady: boolean;
  /** Messages that were copied in all. */
  readonly copied: number;
  /** Everything that was stored when the move began is at the target. */
  readonly isCopied: boolean;
  /** Messages that a side lacks of the other's at present; `undefined` where that is not known. */
  readonly lacks: Readonly<Record<Side, number | undefined>>;
  /** The reader of this epoch stores into both databases before it acknowledges; 0 for none. */
  readonly bothSinceEpoch: number;
  /** Whether a side may read a message yet: `false` only where it let go, or its lease is over. */
  readonly mayRead: Readonly<Record<Side, boolean>>;
  /** The latest comparison. */
  readonly comparison: Comparison | undefined;
  /** What went wrong and mends itself no more; empty for nothing. */
  readonly fault: string;
}

/** What both sides are told. */
export interface MigrationOrders {
  readonly reader: Side | undefined;
  readonly epoch: number;
  /** Whether the target runs. */
  readonly targetRuns: boolean;
  /** Which side is given what it lacks of the other's. */
  readonly copyTo: Side | undefined;
  /** Whether the reader stores into both databases. */
  readonly storesBoth: boolean;
  /** The window to compare; absent where nothing is to be compared. */
  readonly compare?: { readonly from: number; readonly until: number };
}

/** A stage that gets no further for this long goes back. */
export const STUCK_MS = 10 * 60_000;
/** So long may nobody read; the brokers keep what devices send meanwhile. */
export const NOBODY_READS_MS = 30_000;
/** So long the target reads, and stores into both, before it is compared once more. */
export const VERIFY_MS = 60_000;
/** What was stored this lately is not compared: it may be under way to one of them. */
export const SETTLE_MS = 5_000;
/** With so few messages missing, the reader can store into both. */
const FEW = 1_000;

/** A move that begins now; the epoch is that of who reads at present. */
export function startMigration(
  start: Pick<Migration, "workspaceId" | "from" | "to" | "epoch">,
  now: number,
): Migration {
  const because = `it moves from ${start.from} to ${start.to}`;
  return { ...start, stage: "prepare", startedAt: now, since: now, copied: 0, copiedAt: now, because };
}

/** The move by what is known now; the same object where it stays as it is. */
export function advanceMigration(migration: Migration, facts: MigrationFacts, now: number): Migration {
  if (isOver(migration)) return migration;
  const noted = noteCopied(migration, facts, now);
  const next = nextStage(noted, facts, now);
  return next === undefined ? noted : enter(noted, next, now);
}

/** Whether a move has ended, at its target or back at its source. */
export function isOver({ stage }: Migration): boolean {
  return stage === "done" || stage === "returned";
}

/** What both sides are told in a stage. */
export function ordersOf(migration: Migration, now: number): MigrationOrders {
  const { stage, epoch } = migration;
  const window = windowOf(migration, now);
  return {
    ...{ reader: readerOf(stage), epoch },
    targetRuns: stage !== "returned",
    copyTo: copiedTo(stage),
    // What a side that lets go still stores is stored in both, too.
    storesBoth: ["both", "compare", "cut-over", "verify", "back"].includes(stage),
    ...(window === undefined ? {} : { compare: window }),
  };
}

/** On the way back the source gets what only the target read and has, before it reads again. */
function copiedTo(stage: MigrationStage): Side | undefined {
  if (stage === "back") return "source";
  return ["copy", "follow", "both"].includes(stage) ? "target" : undefined;
}

/** Who reads in a stage. */
export function readerOf(stage: MigrationStage): Side | undefined {
  if (stage === "cut-over" || stage === "back") return undefined;
  return stage === "verify" || stage === "done" ? "target" : "source";
}

interface Next {
  readonly stage: MigrationStage;
  readonly because: string;
}

function nextStage(migration: Migration, facts: MigrationFacts, now: number): Next | undefined {
  const { stage } = migration;
  if (stage === "back") return backHome(migration, facts, now);
  if (facts.fault !== "") return goBack(stage, facts.fault);
  return forward(migration, facts, now) ?? stuck(migration, now);
}

/**
 * The source reads again once the target surely does not, and once it has what only the target has.
 * Where that cannot be had, it waits no longer than for anything else, and says so.
 */
function backHome({ because, since }: Migration, { mayRead, lacks }: MigrationFacts, now: number): Next | undefined {
  if (mayRead.target) return undefined;
  if (lacks.source === 0) return { stage: "returned", because: `the source reads again: ${because}` };
  if (now - since < STUCK_MS) return undefined;
  const left = `${lacks.source ?? "an unknown number of"} messages are at the target alone, which keeps them`;
  return { stage: "returned", because: `the source reads again, and ${left}: ${because}` };
}

function forward(migration: Migration, facts: MigrationFacts, now: number): Next | undefined {
  switch (migration.stage) {
    case "prepare":
      return when(facts.targetIsReady, "copy", "the target is ready");
    case "copy":
      return when(facts.isCopied, "follow", `${facts.copied} messages are copied`);
    case "follow":
      return when(isFew(facts.lacks.target), "both", `the target lacks ${facts.lacks.target} messages`);
    case "both": {
      const isBoth = facts.bothSinceEpoch === migration.epoch && facts.lacks.target === 0;
      return when(isBoth, "compare", "every message is stored in both");
    }
    case "compare":
      return judge(migration, facts.comparison, now, "cut-over");
    case "cut-over":
      return when(!facts.mayRead.source, "verify", "the source has let go, the target reads");
    case "verify":
      return judge(migration, facts.comparison, now, "done");
    default:
      return undefined;
  }
}

function when(isSo: boolean, stage: MigrationStage, because: string): Next | undefined {
  return isSo ? { stage, because } : undefined;
}

function isFew(behind: number | undefined): boolean {
  return behind !== undefined && behind <= FEW;
}

/**
 * Goes on where both are equal, and back where they are not; waits for a comparison of this stage.
 */
function judge(
  migration: Migration,
  comparison: Comparison | undefined,
  now: number,
  stage: MigrationStage,
): Next | undefined {
  const window = windowOf(migration, now);
  if (window === undefined || comparison === undefined) return undefined;
  if (comparison.from > window.from || comparison.until < leastUntil(migration)) return undefined;
  const difference = differenceOf(comparison);
  if (difference !== "") return goBack(migration.stage, difference);
  return { stage, because: `${comparison.compared} messages were compared, and none is missing` };
}

/** What differs, in words; empty where nothing does. */
export function differenceOf({ missing, compared }: Comparison): string {
  const parts = (["target", "source"] as const)
    .filter(side => missing[side].count > 0)
    .map(side => `the ${side} lacks ${missing[side].count}, such as ${missing[side].first.slice(0, 3).join(", ")}`);
  return parts.length === 0 ? "" : `of ${compared} messages ${parts.join("; ")}`;
}

/**
 * The window that is to be compared, without the latest: before the cut-over everything that the
 * databases have, and once more what came since the move began.
 */
function windowOf(migration: Migration, now: number): { readonly from: number; readonly until: number } | undefined {
  if (migration.stage !== "compare" && migration.stage !== "verify") return undefined;
  const until = now - SETTLE_MS;
  return until < leastUntil(migration)
    ? undefined
    : { from: migration.stage === "compare" ? 0 : migration.startedAt, until };
}

/** A comparison counts for a stage only where it reaches into it; of the target's, a while. */
function leastUntil({ stage, since }: Migration): number {
  return stage === "verify" ? since + VERIFY_MS : since;
}

/**
 * Before the cut-over the source reads on as if nothing had been. After it the target has to let
 * go first, or two would read.
 */
function goBack(stage: MigrationStage, because: string): Next {
  return { stage: stage === "verify" ? "back" : "returned", because };
}

function stuck(migration: Migration, now: number): Next | undefined {
  const { stage, since, copiedAt } = migration;
  const limit = stage === "cut-over" ? NOBODY_READS_MS : STUCK_MS;
  const lastMove = stage === "copy" || stage === "follow" ? Math.max(since, copiedAt) : since;
  if (now - lastMove < limit + (stage === "verify" ? VERIFY_MS : 0)) return undefined;
  return goBack(stage, `${stage} got no further for ${Math.round((now - lastMove) / 1000)} s`);
}

function noteCopied(migration: Migration, { copied }: MigrationFacts, now: number): Migration {
  return copied > migration.copied ? { ...migration, copied, copiedAt: now } : migration;
}

/** Enters a stage; with another reader the epoch grows, so that the one before is fenced. */
function enter(migration: Migration, { stage, because }: Next, now: number): Migration {
  const reader = readerOf(stage);
  const isNew = reader !== undefined && reader !== readerOf(migration.stage);
  return { ...migration, stage, because, since: now, epoch: migration.epoch + (isNew ? 1 : 0) };
}
