import { MoveStage, type WorkspaceMove } from "@skep/api/gen/skep/v1/move_pb.ts";
import { enumWord } from "./enum-word.ts";

/** The stage of a move as people read it. */
export function stageOf({ stage }: WorkspaceMove): string {
  return enumWord(MoveStage, stage);
}

/** How far a move is, why, and what it waits for, in one line. */
export function moveWords(move: WorkspaceMove | undefined): string {
  if (move === undefined) return "it never moved";
  const { from, to, because, copied, total, waiting, abort } = move;
  const stage = stageOf(move);
  if (stage === "done") return `moved from ${from} to ${to}: ${because}`;
  if (stage === "returned") return `stayed ${from}, and did not become ${to}: ${because}`;
  const progress =
    total > 0n && ["copy", "follow", "both"].includes(stage) ? `, ${copied} of about ${total} copied` : "";
  const waits = waiting.length === 0 ? "" : `; waits: ${waiting.join("; ")}`;
  const unwanted = abort === "" ? "" : `; ${abort}`;
  return `moves from ${from} to ${to}: ${stage}${progress} (${because})${waits}${unwanted}`;
}
