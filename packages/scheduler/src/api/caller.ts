import type { HandlerContext } from "@connectrpc/connect";
import { principalKey } from "@skep/server/auth.ts";
import type { Request } from "../store/request.ts";

/**
 * The caller of a change, which the audit log names, and the key under which a repetition is
 * answered alike.
 */
export function changeRequest(request: { readonly idempotencyKey: string }, context: HandlerContext): Request {
  return {
    actor: context.values.get(principalKey).name,
    idempotencyKey: request.idempotencyKey === "" ? undefined : request.idempotencyKey,
  };
}
