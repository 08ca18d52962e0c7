import { createContextKey } from "@connectrpc/connect";
import { addressKey } from "@skep/kit/connections.ts";
import type { HttpRequest } from "./reply.ts";

/** What a request's sender is counted under: its address. */
export const clientKey = createContextKey("", { description: "the address that a request is counted under" });

/** The same for a request that no handler has yet. */
export function clientOf(request: HttpRequest): string {
  return addressKey(request.socket.remoteAddress ?? "");
}
