import { createContextKey } from "@connectrpc/connect";
import { addressKey } from "@skep/kit/connections.ts";
import type { HttpRequest } from "./reply.ts";

/** What a request's sender is counted under: its address. */
export const clientKey = createContextKey("", { description: "the address that a request is counted under" });

/** From where a request's connection comes: the address that its sender can be reached at. */
export const peerKey = createContextKey("", { description: "the address of the connection's other end" });

/** The address of a request's other end; an IPv4 address as such, whatever the socket speaks. */
export function peerOf(request: HttpRequest): string {
  return (request.socket.remoteAddress ?? "").replace(/^::ffff:(?=[\d.]+$)/i, "");
}

/** The same for a request that no handler has yet. */
export function clientOf(request: HttpRequest): string {
  return addressKey(request.socket.remoteAddress ?? "");
}
