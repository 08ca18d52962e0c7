import type { AnswerCodec } from "@skep/api/codec/stored/answer.ts";
import type { Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";
import { requestHash } from "../request-hash.ts";
import type { Request } from "../request.ts";

/**
 * Answers a repeated request as it was answered before; otherwise does it and keeps the answer.
 * What is done calls `audit` where it wrote something.
 */
export function once<T>(
  records: Records,
  request: Request,
  operation: string,
  argument: unknown,
  now: number,
  codec: AnswerCodec<T>,
  run: (audit: () => void) => T,
): T {
  const { actor, idempotencyKey } = request;
  const audit = (): void => void records.audits.push({ at: now, actor, action: operation });
  if (idempotencyKey === undefined) return run(audit);
  const hash = requestHash(operation, argument);
  const known = records.answers.get(`${actor} ${idempotencyKey}`);
  if (known !== undefined && known.hash !== hash) throw refuse.keyReused(idempotencyKey);
  if (known !== undefined) return codec.decode(known.response);
  const response = run(audit);
  records.answers.set(`${actor} ${idempotencyKey}`, { hash, response: codec.encode(response), at: now });
  return response;
}
