import type { Comparison, Migration, MigrationFacts, MigrationStage, MigrationTimes } from "./migration-state.ts";

/** The stage that follows, and why. */
export interface Next {
  readonly stage: MigrationStage;
  readonly because: string;
}

/** With so few messages missing, the reader can store into both. */
const FEW = 10_000;

/** How long a stage may get no further. */
export function stuckAfterMs(stage: MigrationStage, { stuckMs, nobodyReadsMs, verifyMs }: MigrationTimes): number {
  if (stage === "cut-over") return nobodyReadsMs;
  return stage === "verify" ? stuckMs + verifyMs : stuckMs;
}

/** The stage that follows on the way there, or on the way back; `undefined` where it stays. */
export function forward(
  migration: Migration,
  facts: MigrationFacts,
  now: number,
  times: MigrationTimes,
): Next | undefined {
  const { because } = migration;
  switch (migration.stage) {
    case "prepare":
      return when(facts.isReady.target && facts.targetIsSubscribed, "copy", "the target is ready");
    case "copy":
      return when(facts.isCopied, "follow", `${facts.copied} messages are copied`);
    case "follow":
      return when(isFew(facts.lacks.target), "both", `the target lacks ${facts.lacks.target} messages`);
    case "both":
      return when(facts.isBoth && facts.lacks.target === 0, "compare", "every message is stored in both");
    case "compare":
      return judged(facts, "switch", facts.isBoth && facts.targetIsSubscribed);
    case "switch":
      return when(hasSwitched(facts), "drain", "every gate has sent its devices to the target's broker");
    case "drain":
      return when(
        isDry(facts, times) && hasSwitched(facts) && facts.targetIsSubscribed,
        "cut-over",
        "nothing is left at the source's broker",
      );
    case "cut-over":
      return when(!facts.mayRead.source, "verify", "the source has let go, the target reads");
    case "verify":
      return judged(facts, "done", facts.isBoth) ?? withoutSource(migration, now, times);
    case "halt":
      return when(!facts.mayRead.source, "withdraw", because);
    case "withdraw":
      return hasSwitched(facts) ? { stage: "empty", because } : givenUp(migration, facts, now, times);
    case "empty":
      return isDry(facts, times) && hasSwitched(facts)
        ? { stage: "back", because }
        : givenUp(migration, facts, now, times);
    case "apart":
      return rejoined(migration, facts);
    case "back":
      return backHome(migration, facts, now, times);
    default:
      return undefined;
  }
}

/**
 * What the target has was compared before it began to read, and it stored all that came since. So
 * it stays with it where the source is lost for good.
 */
function withoutSource({ lostAt }: Migration, now: number, { lostMs }: MigrationTimes): Next | undefined {
  if (lostAt === undefined || now - lostAt < lostMs) return undefined;
  return { stage: "done", because: "the source is away, so it was not compared once more; the target has everything" };
}

/** The target gives back what it cannot read out. */
function givenUp(
  { because, since }: Migration,
  { mayRead }: MigrationFacts,
  now: number,
  { nobodyReadsMs, stuckMs }: MigrationTimes,
): Next | undefined {
  if (!mayRead.target && now - since >= nobodyReadsMs) return { stage: "apart", because };
  if (now - since < stuckMs) return undefined;
  return { stage: "back", because: `${because}; what may still wait at the target's broker was not read` };
}

/** Nothing that waits at the target's broker is given up but by whoever wants it so. */
function rejoined({ abort, because }: Migration, { isReady }: MigrationFacts): Next | undefined {
  if (abort !== "") return { stage: "returned", because: `${abort}; what waits at the target's broker was not read` };
  return when(isReady.target, "halt", because);
}

/**
 * The source reads again once the target surely does not, and once it has what only the target has.
 * Where that cannot be had, it waits no longer than anybody may go without a reader, and says so.
 */
function backHome(
  { because, since, copiedAt }: Migration,
  { mayRead, lacks }: MigrationFacts,
  now: number,
  { nobodyReadsMs }: MigrationTimes,
): Next | undefined {
  if (mayRead.target) return undefined;
  if (lacks.source === 0) return { stage: "returned", because: `the source reads again: ${because}` };
  if (now - Math.max(since, copiedAt) < nobodyReadsMs) return undefined;
  const left = `${lacks.source ?? "an unknown number of"} messages are at the target alone, which keeps them`;
  return { stage: "returned", because: `the source reads again, and ${left}: ${because}` };
}

/**
 * Goes on where the target has all that the source has, and back where it has not; waits for a
 * comparison. What only the target has stays there: it had it before, and nothing of it is lost.
 */
function judged(facts: MigrationFacts, stage: MigrationStage, isBoth: boolean): Next | undefined {
  const { comparison } = facts;
  if (comparison === undefined) return undefined;
  const lack = lackOf(comparison);
  if (lack !== "") return { stage: stage === "done" ? "withdraw" : "returned", because: lack };
  return when(isBoth, stage, `${comparison.compared} messages were compared, and none is missing`);
}

/** What the target lacks, in words; empty where that is nothing. */
function lackOf({ missing: { target }, compared }: Comparison): string {
  if (target.count === 0) return "";
  return `of ${compared} messages the target lacks ${target.count}, such as ${target.first.slice(0, 3).join(", ")}`;
}

function hasSwitched({ gatesBehind }: MigrationFacts): boolean {
  return gatesBehind?.length === 0;
}

function isDry({ quietMs }: MigrationFacts, times: MigrationTimes): boolean {
  return quietMs !== undefined && quietMs >= times.quietMs;
}

function when(isSo: boolean, stage: MigrationStage, because: string): Next | undefined {
  return isSo ? { stage, because } : undefined;
}

function isFew(behind: number | undefined): boolean {
  return behind !== undefined && behind <= FEW;
}
