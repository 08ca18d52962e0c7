import { stampOf } from "@skep/core/identity/assignment-line.ts";
import type { Holding, Proves } from "@skep/core/identity/records-age.ts";
import type { Assignment } from "@skep/core/model/assignment.ts";
import { createHmac, timingSafeEqual } from "node:crypto";

type Told = Omit<Holding, "receipt">;

/**
 * Gives an assignment its receipt, by which its agent shows later that it was told this term,
 * revision and stamp. An agent sees only receipts of its own, and never the key.
 */
export function withReceipt(assignment: Assignment, key: string): Assignment {
  if (key === "") return assignment;
  return { ...assignment, receipt: receiptOf({ ...assignment, ...stampOf(assignment) }, key) };
}

/**
 * Whether what an agent claims to hold was given to it by a scheduler that had this key. Anybody
 * can compute what the empty key makes, so it proves nothing.
 */
export function provesBy(key: string): Proves {
  return held => key !== "" && isReceipt(held, receiptOf(held, key));
}

function receiptOf({ nodeId, incarnation, term, revision, stamp }: Told, key: string): string {
  const text = JSON.stringify([nodeId, incarnation, term, revision, ...(stamp === undefined ? [] : [stamp])]);
  return createHmac("sha256", key).update(text).digest("base64url");
}

function isReceipt({ receipt = "" }: Holding, right: string): boolean {
  const [mine, theirs] = [Buffer.from(right), Buffer.from(receipt)];
  return mine.byteLength === theirs.byteLength && timingSafeEqual(mine, theirs);
}
