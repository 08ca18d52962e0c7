import type { Interceptor } from "@connectrpc/connect";
import { createValidateInterceptor } from "@connectrpc/validate";
import type { Log } from "@skep/kit/log.ts";
import { createErrorInterceptor } from "./errors.ts";
import { idempotencyInterceptor } from "./idempotency.ts";
import { textInterceptor } from "./texts.ts";

/** What stands between a request and each handler, outermost first. */
export function createInterceptors(log: Log, stopping?: AbortSignal): Interceptor[] {
  return [createErrorInterceptor(log, stopping), idempotencyInterceptor, textInterceptor, createValidateInterceptor()];
}
