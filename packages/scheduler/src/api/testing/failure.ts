import { fromConnectError } from "@skep/api/codec/error.ts";
import type { SkepError } from "@skep/core/error.ts";

/**
 * What a call failed with, as a client reads it.
 * @throws {Error} when the call succeeds.
 */
export async function failureOf(call: Promise<unknown>): Promise<SkepError> {
  try {
    await call;
  } catch (error) {
    return fromConnectError(error);
  }
  throw new Error("the call succeeded");
}
