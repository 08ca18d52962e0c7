import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { ErrorCode } from "@skep/core/error.ts";

/** A request of either HTTP version. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** A response of either HTTP version. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Answers with JSON. */
export function replyJson(
  response: HttpResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  for (const [name, text] of Object.entries(headers)) response.setHeader(name, text);
  response.setHeader("content-type", "application/json");
  response.statusCode = status;
  response.end(`${JSON.stringify(value)}\n`);
}

/** Answers with an error in the shape that Connect uses too, `{code, message}`. */
export function replyError(
  response: HttpResponse,
  status: number,
  code: ErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  replyJson(response, status, { code, message }, headers);
}
