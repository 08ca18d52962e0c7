import { cors } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "./reply.ts";

/**
 * What every answer says to browsers: guess no types, show it in no frame, run nothing from it,
 * keep no copy.
 */
const SECURITY: readonly (readonly [string, string])[] = [
  ["x-content-type-options", "nosniff"],
  ["x-frame-options", "DENY"],
  ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
];

const ALLOWED_HEADERS = [...cors.allowedHeaders, "Authorization", "Idempotency-Key"].join(", ");
const ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE";
const EXPOSED_HEADERS = cors.exposedHeaders.join(", ");

/** Sets the headers that every answer has. */
export function setSecurityHeaders(response: HttpResponse): void {
  for (const [name, text] of SECURITY) response.setHeader(name, text);
}

/**
 * Lets pages of the listed origins use the API, and no others; nothing is set for a request that
 * names no origin. Answers whether it was a preflight, which is then answered.
 */
export function answerCors(request: HttpRequest, response: HttpResponse, origins: readonly string[]): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  response.setHeader("vary", "Origin");
  const allowed = origins.includes(origin);
  if (allowed) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
  }
  if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined) return false;
  if (allowed) {
    response.setHeader("access-control-allow-methods", ALLOWED_METHODS);
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", "7200");
  }
  response.statusCode = allowed ? 204 : 403;
  response.end();
  return true;
}
