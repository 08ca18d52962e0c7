import type { Interceptor } from "@connectrpc/connect";

/** Sends a token with every request; a function is asked each time, so that a token can change. */
export function bearer(token: string | (() => string | Promise<string>)): Interceptor {
  return next => async request => {
    const value = typeof token === "string" ? token : await token();
    request.header.set("authorization", `Bearer ${value}`);
    return await next(request);
  };
}
