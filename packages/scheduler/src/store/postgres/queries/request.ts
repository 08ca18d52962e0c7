import type { AnswerCodec } from "@skep/api/codec/stored/answer.ts";
import type { JsonObject } from "@bufbuild/protobuf";
import type { Request } from "../../request.ts";
import { refuse } from "../../refusals.ts";
import { requestHash } from "../../request-hash.ts";
import { ask, constraintOf, stateOf, type Queryable } from "../sql.ts";

/**
 * One mutation: what it is called in the audit log, what it is of, and what its idempotency key
 * stands for.
 */
export interface Mutation {
  readonly request: Request;
  readonly action: string;
  readonly target: string;
  readonly hash: string;
  readonly now: number;
}

/** Describes a mutation. `argument` is everything that makes two requests different. */
export function mutation(request: Request, action: string, target: string, argument: unknown, now: number): Mutation {
  return { request, action, target, hash: requestHash(`${action} ${target}`, argument), now };
}

/**
 * Two parts of a WITH, so that record, key and audit are written together or not at all; their
 * parameters start at `$first` and are those of `recordValues`. `given` is the condition under
 * which something was written at all.
 */
export function recordParts(first: number, given: string): string {
  const [actor, action, target, key, hash, response, now] = [0, 1, 2, 3, 4, 5, 6].map(offset => `$${first + offset}`);
  return `audited AS (INSERT INTO audit_log (at, actor, action, target)
    SELECT ${now}::bigint, ${actor}::text, ${action}::text, ${target}::text WHERE ${given}),
  keyed AS (INSERT INTO idempotency_keys (actor, key, request_hash, response, at)
    SELECT ${actor}::text, ${key}::text, ${hash}::text, ${response}::jsonb, ${now}::bigint WHERE ${key}::text IS NOT NULL AND ${given})`;
}

/** The parameters of `recordParts`. */
export function recordValues(one: Mutation, response: JsonObject | null): readonly unknown[] {
  const { actor, idempotencyKey } = one.request;
  const answer = JSON.stringify(response);
  return [actor, one.action, one.target, idempotencyKey ?? null, one.hash, answer, one.now];
}

const FIND = {
  name: "find-answer",
  text: "SELECT request_hash, response FROM idempotency_keys WHERE actor = $1 AND key = $2",
};

/**
 * The answer that was given under this key before. @throws SkepError `aborted` when it was to
 * another request.
 */
export async function earlierAnswer<T>(
  db: Queryable,
  one: Mutation,
  codec: AnswerCodec<T>,
): Promise<{ readonly response: T } | undefined> {
  const { actor, idempotencyKey } = one.request;
  if (idempotencyKey === undefined) return undefined;
  const [row] = await ask<{ request_hash: string; response: unknown }>(db, FIND, [actor, idempotencyKey]);
  if (row === undefined) return undefined;
  if (row.request_hash !== one.hash) throw refuse.keyReused(idempotencyKey);
  return { response: codec.decode(row.response) };
}

/**
 * Carries a mutation out once per key. One that was under way twice at the same time is answered
 * as the other one was.
 */
export async function onceByKey<T>(
  db: Queryable,
  one: Mutation,
  codec: AnswerCodec<T>,
  run: () => Promise<T>,
): Promise<T> {
  const before = await earlierAnswer(db, one, codec);
  if (before !== undefined) return before.response;
  try {
    return await run();
  } catch (error) {
    const meanwhile = constraintOf(error) === "idempotency_keys_once" ? await earlierAnswer(db, one, codec) : undefined;
    if (meanwhile === undefined) throw error;
    return meanwhile.response;
  }
}

/** Whether the failure may mean that the same request was carried out before. */
export function mayBeRepetition(error: unknown): boolean {
  return constraintOf(error) !== undefined || stateOf(error) === "SKQTA";
}
