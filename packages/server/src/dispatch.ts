import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescService } from "@bufbuild/protobuf";
import { createContextValues } from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { Log } from "@skep/kit/log.ts";
import { clientKey, clientOf, peerKey, peerOf } from "./client.ts";
import { announcesTooMuch, drain, tooLarge } from "./body.ts";
import { answerCors, setSecurityHeaders } from "./headers.ts";
import type { Rate } from "./rate.ts";
import { replyError } from "./reply.ts";
import type { HttpRequest, HttpResponse } from "./reply.ts";
import { createTranscoder } from "./rest/transcoder.ts";

/**
 * A page beside the API; answers whether the path was its own. The headers of the server are set
 * when it is asked; a page that browsers show sets its own `content-security-policy` over them.
 */
export type Page = (request: IncomingMessage, response: ServerResponse) => boolean;

/** What requests are dispatched to. */
export interface DispatchOptions {
  readonly handlers: readonly UniversalHandler[];
  readonly services: readonly DescService[];
  readonly maxBytes: number;
  readonly pages: readonly Page[];
  readonly origins: readonly string[];
  readonly openApi: string | undefined;
  /** Counts the requests of each address. */
  readonly requests: Rate;
  readonly log: Log;
}

/** Makes the one function that every request of either HTTP version goes through. */
export function createDispatch(options: DispatchOptions): (request: HttpRequest, response: HttpResponse) => void {
  const byPath = new Map(options.handlers.map(handler => [handler.requestPath, handler]));
  const transcode = createTranscoder(options.services, options.handlers, options.maxBytes);
  return (request, response) => {
    setSecurityHeaders(response);
    const client = clientOf(request);
    const waitMs = options.requests.waitMs(client);
    if (waitMs > 0) return refuseHaste(response, waitMs);
    options.requests.count(client);
    if (answerCors(request, response, options.origins)) return;
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    answer(path, request, response, client).catch((error: unknown) => {
      if (isGone(response) || request.destroyed) return;
      options.log.error("request.broken", `${request.method} ${path} could not be answered`, { error });
      if (!response.headersSent) replyError(response, 500, "internal", "Something went wrong here; see the log.");
      else response.destroy();
    });
  };

  async function answer(path: string, request: HttpRequest, response: HttpResponse, client: string): Promise<void> {
    if (await refusesBody(request, response, options.maxBytes)) return;
    const handler = byPath.get(path);
    if (handler !== undefined) return await call(handler, request, response, client);
    if (path === "/api/v1/openapi.json" && request.method === "GET" && options.openApi !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(options.openApi);
      return;
    }
    // Pages are written for HTTP/1; the HTTP/2 objects offer the same calls.
    const page = [request as IncomingMessage, response as ServerResponse] as const;
    if (options.pages.some(show => show(...page))) return;
    const done = transcode(request, response, client);
    if (done !== undefined) return await done;
    replyError(response, 404, "not_found", `There is nothing at ${path}; /api/v1/openapi.json lists every path.`);
  }
}

/** Whether the client has left: an answer that cannot be written is then nobody's failure. */
function isGone(response: HttpResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}

function refuseHaste(response: HttpResponse, waitMs: number): void {
  const sentence = "Too many requests came from this address at once: wait a second, then go on more slowly.";
  const headers = { "retry-after": String(Math.ceil(waitMs / 1_000)) };
  replyError(response, 429, "resource_exhausted", sentence, headers);
}

async function call(
  handler: UniversalHandler,
  request: HttpRequest,
  response: HttpResponse,
  client: string,
): Promise<void> {
  const values = createContextValues().set(clientKey, client).set(peerKey, peerOf(request));
  const result = await handler(universalRequestFromNodeRequest(request, response, undefined, values));
  await universalResponseToNodeResponse(result, response);
}

/**
 * Refuses a body that announces itself as too large. gRPC says so in its own words, so it is left
 * to its handler.
 */
async function refusesBody(request: HttpRequest, response: HttpResponse, maxBytes: number): Promise<boolean> {
  const isGrpc = (request.headers["content-type"] ?? "").startsWith("application/grpc");
  const waits = request.headers.expect?.toLowerCase() === "100-continue";
  if (isGrpc || !announcesTooMuch(request, maxBytes)) {
    // HTTP/2 goes on by itself; only the HTTP/1 server leaves the word to us.
    if (waits && request.httpVersionMajor === 1) response.writeContinue();
    return false;
  }
  if (!waits) await drain(request);
  const headers = request.httpVersionMajor === 1 ? { connection: "close" } : {};
  replyError(response, 413, "resource_exhausted", tooLarge(maxBytes), headers);
  return true;
}
