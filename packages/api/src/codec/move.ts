import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type {
  CompareOrder,
  Comparison,
  Migration,
  MigrationStage,
  Side,
} from "@skep/core/workspace/migration-state.ts";
import type { MoveFacts, MoveOrder } from "@skep/core/workspace/move.ts";
import {
  MoveSide,
  MoveStage,
  type CompareOrder as CompareMessage,
  type MoveComparison,
  type MoveFacts as FactsMessage,
  type MoveFactsSchema,
  type MoveOrder as OrderMessage,
  type MoveOrderSchema,
  type WorkspaceMoveSchema,
} from "../gen/skep/v1/move_pb.ts";
import { enumTable } from "./enum-table.ts";
import { fromUint64, toUint32, toUint64 } from "./number.ts";

const sides = enumTable<Side, MoveSide>("side", { source: MoveSide.SOURCE, target: MoveSide.TARGET });

/** How far a move is. */
const moveStages = enumTable<MigrationStage, MoveStage>("stage", {
  ...{ prepare: MoveStage.PREPARE, copy: MoveStage.COPY, follow: MoveStage.FOLLOW, both: MoveStage.BOTH },
  ...{ compare: MoveStage.COMPARE, switch: MoveStage.SWITCH, drain: MoveStage.DRAIN, "cut-over": MoveStage.CUT_OVER },
  ...{ verify: MoveStage.VERIFY, done: MoveStage.DONE, halt: MoveStage.HALT, withdraw: MoveStage.WITHDRAW },
  ...{ empty: MoveStage.EMPTY, apart: MoveStage.APART, back: MoveStage.BACK, returned: MoveStage.RETURNED },
});

/** What a host is told of a move, as a message. */
export function moveOrderToProto(order: MoveOrder): MessageInitShape<typeof MoveOrderSchema> {
  const { stage, step, side, peer, copySince, storesBoth, compare } = order;
  return {
    ...{ stage: moveStages.toProto(stage), step: toUint64(step), side: sides.toProto(side), peer, storesBoth },
    ...(copySince === undefined ? {} : { copySinceMs: toUint64(copySince) }),
    ...(compare === undefined ? {} : { compare: compareToProto(compare) }),
  };
}

function compareToProto({
  from,
  afterMs,
  settleMs,
}: CompareOrder): MessageInitShape<typeof MoveOrderSchema>["compare"] {
  return { fromMs: toUint64(from), afterMs: toUint32(afterMs), settleMs: toUint32(settleMs) };
}

/** A message as what a host is told. @throws SkepError `invalid_argument` `UNKNOWN_ENUM`. */
export function moveOrderFromProto(message: OrderMessage): MoveOrder {
  const { stage, step, side, peer, copySinceMs, storesBoth, compare } = message;
  return {
    ...{ stage: moveStages.fromProto(stage, "move.stage"), side: sides.fromProto(side, "move.side") },
    ...{ step: fromUint64(step, "move.step"), peer, storesBoth },
    ...(copySinceMs === undefined ? {} : { copySince: fromUint64(copySinceMs, "move.copy_since_ms") }),
    ...(compare === undefined ? {} : { compare: compareFromProto(compare) }),
  };
}

function compareFromProto({ fromMs, afterMs, settleMs }: CompareMessage): CompareOrder {
  return { from: fromUint64(fromMs, "move.compare.from_ms"), afterMs, settleMs };
}

/** What a host says of a move, as a message. */
export function moveFactsToProto(facts: MoveFacts): MessageInitShape<typeof MoveFactsSchema> {
  const { step, isReady, isSubscribed, isCopied, isBoth, copied, total, lacking, quietMs, comparison } = facts;
  return {
    ...{ step: toUint64(step), isReady, isSubscribed, isCopied, isBoth },
    ...{ copied: toUint64(copied), total: toUint64(total) },
    ...{ fault: facts.fault.slice(0, MOST_TEXT), waiting: facts.waiting.slice(0, MOST_TEXT) },
    ...(lacking === undefined ? {} : { lacking: toUint64(lacking) }),
    ...(quietMs === undefined ? {} : { quietMs: toUint64(quietMs) }),
    ...(comparison === undefined ? {} : { comparison: comparisonToProto(comparison) }),
  };
}

const MOST_TEXT = 2_000;

function comparisonToProto({
  from,
  until,
  compared,
  missing,
}: Comparison): NonNullable<MessageInitShape<typeof MoveFactsSchema>["comparison"]> {
  const keys = (side: Side) => ({ count: toUint64(missing[side].count), first: [...missing[side].first] });
  return {
    ...{ fromMs: toUint64(from), untilMs: toUint64(until), compared: toUint64(compared) },
    ...{ source: keys("source"), target: keys("target") },
  };
}

/** A message as what a host says. @throws SkepError `invalid_argument` `OUT_OF_RANGE`. */
export function moveFactsFromProto(message: FactsMessage, path: string): MoveFacts {
  const { isReady, isSubscribed, isCopied, isBoth, fault, waiting, lacking, quietMs, comparison } = message;
  const number = (value: bigint, name: string): number => fromUint64(value, `${path}.${name}`);
  return {
    ...{ step: number(message.step, "step"), isReady, isSubscribed, isCopied, isBoth, fault, waiting },
    ...{ copied: number(message.copied, "copied"), total: number(message.total, "total") },
    ...(lacking === undefined ? {} : { lacking: number(lacking, "lacking") }),
    ...(quietMs === undefined ? {} : { quietMs: number(quietMs, "quiet_ms") }),
    ...(comparison === undefined ? {} : { comparison: comparisonFromProto(comparison, `${path}.comparison`) }),
  };
}

function comparisonFromProto({ source, target, ...message }: MoveComparison, path: string): Comparison {
  const number = (value: bigint, name: string): number => fromUint64(value, `${path}.${name}`);
  const keys = (one: MoveComparison["source"]) => ({
    count: number(one?.count ?? 0n, "count"),
    first: one?.first ?? [],
  });
  return {
    ...{ from: number(message.fromMs, "from_ms"), until: number(message.untilMs, "until_ms") },
    ...{ compared: number(message.compared, "compared"), missing: { source: keys(source), target: keys(target) } },
  };
}

/** A move, and what is said of it while it goes on. */
export interface ShownMove {
  readonly move: Migration;
  readonly copied: number;
  readonly total: number;
  readonly waiting: readonly string[];
}

/** A move for people. */
export function moveToProto({ move, copied, total, waiting }: ShownMove): MessageInitShape<typeof WorkspaceMoveSchema> {
  const { from, to, stage, step, because, startedAt, since, abort } = move;
  return {
    ...{ from, to, stage: moveStages.toProto(stage), step: toUint64(step), because, abort, waiting: [...waiting] },
    ...{ startedAt: timestampFromMs(startedAt), since: timestampFromMs(since) },
    ...{ copied: toUint64(copied), total: toUint64(total) },
  };
}
