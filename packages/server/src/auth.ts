import { createHash, timingSafeEqual } from "node:crypto";
import type { DescMethod } from "@bufbuild/protobuf";
import { createContextKey } from "@connectrpc/connect";
import type { ConnectError, HandlerContext } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@skep/api/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { authorise } from "@skep/core/access/authorise.ts";
import type { Permission } from "@skep/core/access/permission.ts";
import { ANONYMOUS, PLATFORM } from "@skep/core/access/principal.ts";
import type { Principal } from "@skep/core/access/principal.ts";
import { SkepError } from "@skep/core/error.ts";
import { clientKey } from "./client.ts";
import type { Rate } from "./rate.ts";

/** Who is let in, and what for. */
export interface AuthOptions {
  /**
   * The principal that a token belongs to, or `undefined` for a token that nobody has. It is asked
   * for each request, by whomever, so it has to cost no more than a comparison.
   */
  readonly authenticate: (token: string) => Promise<Principal | undefined> | Principal | undefined;
  /** The permission that a method needs. A method without one is refused to everybody. */
  readonly permissionOf: (method: DescMethod) => Permission | undefined;
  /**
   * Whoever shows no token that is known may do everything. One who shows a known one is held to
   * it: a process that is known by its token is what the token says.
   */
  readonly isOpen?: true;
}

/** Who makes a request: the principal of its token, `anonymous` without authentication. */
export const principalKey = createContextKey(ANONYMOUS, { description: "the principal of the request's token" });

/**
 * The services that answer without a token: probes have none, and the definitions that reflection
 * hands out are published anyway.
 */
const FOR_EVERYBODY: ReadonlySet<string> = new Set(
  [Health, ServerReflection, ServerReflectionAlpha].map(service => service.typeName),
);

/**
 * Checks the token of a request and the permission of its principal, before the body is read. What
 * a request is about is not known yet, so the permission has to hold for the whole platform. A
 * valid token always passes: many people may share an address with one who guesses. An address with
 * too many wrong tokens is told to wait with each further one.
 * @throws ConnectError `unauthenticated`, `permission_denied` or `resource_exhausted`.
 */
export function createGate(
  options: AuthOptions | undefined,
  failures: Rate,
): (context: HandlerContext) => Promise<void> {
  return async context => {
    if (options === undefined || FOR_EVERYBODY.has(context.service.typeName)) return;
    const client = context.values.get(clientKey);
    const token = tokenOf(context.requestHeader.get("authorization") ?? "");
    const principal = await identify(options, token).catch((error: unknown) => {
      const waitMs = failures.waitMs(client);
      failures.count(client);
      throw waitMs > 0 ? tooManyFailures(waitMs) : error;
    });
    if (principal === undefined) return;
    const permission = options.permissionOf(context.method);
    const refusal = permission === undefined ? unlisted(context.method) : authorise(principal, permission, PLATFORM);
    if (refusal !== undefined) throw toConnectError(refusal);
    context.values.set(principalKey, principal);
  };
}

function tokenOf(header: string): string | undefined {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(header)?.[1];
}

/** `undefined` for everybody at an open API. */
async function identify(options: AuthOptions, token: string | undefined): Promise<Principal | undefined> {
  if (options.isOpen === true) return token === undefined ? undefined : await options.authenticate(token);
  if (token === undefined)
    throw unknown("TOKEN_MISSING", "The request has no token: send the header `Authorization: Bearer <token>`.");
  const principal = await options.authenticate(token);
  if (principal === undefined)
    throw unknown("TOKEN_UNKNOWN", "The token is not known here: ask an operator for a valid one.");
  return principal;
}

/** Knows a fixed set of tokens. Every comparison takes the same time, right or wrong. */
export function knowTokens(tokens: ReadonlyMap<string, Principal>): AuthOptions["authenticate"] {
  const known = [...tokens].map(([token, principal]) => ({ hash: hashOf(token), principal }));
  return token => {
    const hash = hashOf(token);
    let found: Principal | undefined;
    for (const one of known) if (timingSafeEqual(hash, one.hash)) found = one.principal;
    return found;
  };
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

/** Waiting is told in seconds, as the header Retry-After wants it. */
function tooManyFailures(waitMs: number): ConnectError {
  const seconds = Math.ceil(waitMs / 1_000);
  const sentence = `Too many wrong tokens came from this address: wait ${seconds} s, then send a valid one.`;
  const error = toConnectError(new SkepError("resource_exhausted", "TOO_MANY_WRONG_TOKENS", sentence));
  error.metadata.set("retry-after", String(seconds));
  return error;
}

const unknown = (reason: string, message: string): Error =>
  toConnectError(new SkepError("unauthenticated", reason, message));

const unlisted = (method: DescMethod): SkepError =>
  new SkepError(
    "permission_denied",
    "METHOD_UNLISTED",
    `No permission is known for ${method.name}: nobody may call it.`,
  );
