import type { Interceptor } from "@connectrpc/connect";
import { SkepError } from "@skep/core/error.ts";

/**
 * Lets the HTTP header `Idempotency-Key` stand for the field `idempotency_key` of requests that
 * have one.
 * @throws SkepError `invalid_argument` `IDEMPOTENCY_KEY_TWICE` where both are there and differ.
 */
export const idempotencyInterceptor: Interceptor = next => async request => {
  const key = request.header.get("idempotency-key");
  if (key !== null && key !== "" && !request.stream && "idempotencyKey" in request.message) {
    const message = request.message as { idempotencyKey: unknown };
    if (message.idempotencyKey !== "" && message.idempotencyKey !== key)
      throw new SkepError(
        "invalid_argument",
        "IDEMPOTENCY_KEY_TWICE",
        "The header Idempotency-Key and the field idempotency_key differ; send one of them.",
      );
    message.idempotencyKey = key;
  }
  return await next(request);
};
