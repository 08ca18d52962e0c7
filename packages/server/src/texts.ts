import type { Interceptor } from "@connectrpc/connect";
import { SkepError } from "@skep/core/error.ts";

/**
 * Refuses a request with a NUL character in any of its texts: no database column, no environment
 * and no path can hold one.
 * @throws SkepError `invalid_argument` `NUL_IN_TEXT` that names the field.
 */
export const textInterceptor: Interceptor = next => async request => {
  if (!request.stream) {
    refuseNul(request.message);
    return await next(request);
  }
  return await next({ ...request, message: checked(request.message) });
};

async function* checked<T>(messages: AsyncIterable<T>): AsyncIterable<T> {
  for await (const message of messages) {
    refuseNul(message);
    yield message;
  }
}

function refuseNul(message: unknown): void {
  const path = nulAt(message, "");
  if (path === undefined) return;
  const issue = { path, problem: "it holds a NUL character", advice: "remove it" };
  const sentence = `${path} holds a NUL character: remove it.`;
  throw new SkepError("invalid_argument", "NUL_IN_TEXT", sentence, { issues: [issue] });
}

/** Where the first NUL stands, as a path of fields; keys of maps are looked at too. */
function nulAt(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return value.includes("\0") ? path : undefined;
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined;
  const isList = Array.isArray(value);
  for (const [key, item] of Object.entries(value)) {
    if (key.includes("\0")) return path;
    const inner = isList ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const found = nulAt(item, inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
