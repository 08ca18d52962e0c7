import { forward, stuckAfterMs, type Next } from "./migration-stages.ts";
import type {
  CompareOrder,
  Migration,
  MigrationFacts,
  MigrationOrders,
  MigrationStage,
  MigrationTimes,
  Side,
} from "./migration-state.ts";

/** What is good for a fleet; tests have less time. */
export const MIGRATION_TIMES: MigrationTimes = {
  stuckMs: 10 * 60_000,
  nobodyReadsMs: 60_000,
  lostMs: 20_000,
  verifyMs: 60_000,
  settleMs: 5_000,
  quietMs: 1_000,
  gateSilentMs: 30_000,
};
/** A host's clock may be behind by this much. */
const CLOCKS_MS = 5 * 60_000;

/** A move that begins now. */
export function startMigration(start: Pick<Migration, "workspaceId" | "from" | "to">, now: number): Migration {
  const because = `it moves from ${start.from} to ${start.to}`;
  const nothing = { copied: 0, copiedAt: now, lostAt: undefined, abort: "" };
  return { ...start, ...nothing, stage: "prepare", step: 1, startedAt: now, since: now, because };
}

/** The move by what is known now; the same object where it stays as it is. */
export function advanceMigration(
  migration: Migration,
  facts: MigrationFacts,
  now: number,
  times: MigrationTimes = MIGRATION_TIMES,
): Migration {
  if (isOver(migration)) return migration;
  const noted = noteLost(noteCopied(migration, facts, now), facts, now);
  const next = nextStage(noted, facts, now, times);
  return next === undefined ? noted : enter(noted, next, now);
}

/** Who wants it back is heard once; where it is apart, he may want to give up what is left. */
function enter(migration: Migration, next: Next, now: number): Migration {
  const { step, abort } = migration;
  return { ...migration, ...next, step: step + 1, since: now, abort: next.stage === "apart" ? "" : abort };
}

/** Whether a move has ended, at its target or back at its source. */
export function isOver({ stage }: Pick<Migration, "stage">): boolean {
  return stage === "done" || stage === "returned";
}

/** What both sides are told in a stage. */
export function ordersOf(migration: Migration, times: MigrationTimes = MIGRATION_TIMES): MigrationOrders {
  const { stage } = migration;
  const reader = readerOf(stage);
  const compare = compareIn(migration, times);
  const sides = ["source", "target"] as const;
  return {
    reader,
    standby: isOver(migration) ? [] : sides.filter(side => side !== reader),
    devicesAt: devicesAt(stage),
    copyTo: copiedTo(stage),
    storesBoth: storesBoth(stage),
    ...(compare === undefined ? {} : { compare }),
  };
}

/** On the way back the source gets what only the target read and has, before it reads again. */
function copiedTo(stage: MigrationStage): Side | undefined {
  if (stage === "back") return "source";
  return ["copy", "follow", "both"].includes(stage) ? "target" : undefined;
}

/** Who reads in a stage. */
export function readerOf(stage: MigrationStage): Side | undefined {
  if (stage === "cut-over" || stage === "halt" || stage === "back") return undefined;
  return ["verify", "done", "withdraw", "empty"].includes(stage) ? "target" : "source";
}

/** Whose broker devices are sent to in a stage. */
export function devicesAt(stage: MigrationStage): Side {
  return ["switch", "drain", "cut-over", "verify", "done"].includes(stage) ? "target" : "source";
}

/** What a host has received since `at` has no earlier time than this, by its own clock. */
export function surelyBefore(at: number): number {
  return Math.max(0, at - CLOCKS_MS);
}

/** Whether a stage goes on only once every gate has sent its devices elsewhere. */
export function waitsForGates({ stage }: Pick<Migration, "stage">): boolean {
  return ["switch", "drain", "withdraw", "empty"].includes(stage);
}

/** Everything before the cut-over, and once more what came since the move began. */
function compareIn({ stage, startedAt }: Migration, times: MigrationTimes): CompareOrder | undefined {
  const { settleMs, verifyMs } = times;
  if (stage === "compare") return { from: 0, afterMs: settleMs, settleMs };
  if (stage !== "verify") return undefined;
  return { from: surelyBefore(startedAt), afterMs: settleMs + verifyMs, settleMs };
}

function storesBoth(stage: MigrationStage): boolean {
  return ["both", "compare", "switch", "drain", "verify", "withdraw", "empty"].includes(stage);
}

function nextStage(migration: Migration, facts: MigrationFacts, now: number, times: MigrationTimes): Next | undefined {
  const next = forward(migration, facts, now, times);
  if (isOnWayBack(migration.stage)) return next;
  const because = migration.abort || facts.fault || whyLost(migration, facts, now, times);
  if (because !== "") return goBack(migration.stage, because);
  return next ?? stuck(migration, now, times);
}

function isOnWayBack(stage: MigrationStage): boolean {
  return ["halt", "withdraw", "empty", "apart", "back"].includes(stage);
}

/**
 * Before devices are sent elsewhere the source reads on as if nothing had been. After that
 * something may wait at the target's broker, which the target has to read first.
 */
function goBack(stage: MigrationStage, because: string): Next {
  if (stage === "verify") return { stage: "withdraw", because };
  return { stage: ["switch", "drain", "cut-over"].includes(stage) ? "halt" : "returned", because };
}

/** The reader stores nothing while the other side is away: it does not wait for it for long. */
function whyLost({ lostAt }: Migration, { isReady }: MigrationFacts, now: number, { lostMs }: MigrationTimes): string {
  if (isReady.target || lostAt === undefined || now - lostAt < lostMs) return "";
  return `the target has been away for ${Math.round((now - lostAt) / 1000)} s`;
}

function stuck(migration: Migration, now: number, times: MigrationTimes): Next | undefined {
  const { stage, since, copiedAt } = migration;
  const lastMove = stage === "copy" || stage === "follow" ? Math.max(since, copiedAt) : since;
  if (now - lastMove < stuckAfterMs(stage, times)) return undefined;
  return goBack(stage, `${stage} got no further for ${Math.round((now - lastMove) / 1000)} s`);
}

/** How often it is noted that the copy grows: each time is a write. */
const NOTE_MS = 5_000;

function noteCopied(migration: Migration, { copied }: MigrationFacts, now: number): Migration {
  const isCopying = copiedTo(migration.stage) !== undefined;
  if (!isCopying || copied === migration.copied || now - migration.copiedAt < NOTE_MS) return migration;
  return { ...migration, copied, copiedAt: now };
}

function noteLost(migration: Migration, { isReady }: MigrationFacts, now: number): Migration {
  const { stage, lostAt } = migration;
  const isLost = storesBoth(stage) && (!isReady.target || (readerOf(stage) === "target" && !isReady.source));
  if (isLost === (lostAt !== undefined)) return migration;
  return { ...migration, lostAt: isLost ? now : undefined };
}
