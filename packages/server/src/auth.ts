import { createHash, timingSafeEqual } from "node:crypto";
import { createContextKey } from "@connectrpc/connect";
import type { HandlerContext } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";

/** Who is allowed in. */
export interface AuthOptions {
  /** Names the actor that a token belongs to, or `undefined` for a token that nobody has. */
  readonly authenticate: (token: string) => Promise<string | undefined> | string | undefined;
  /** Whether health and reflection answer without a token; probes and tools are simpler with it. */
  readonly open: boolean;
}

/** Who makes a request: the actor of its token, `anonymous` without authentication. */
export const actorKey = createContextKey("anonymous", { description: "the actor of the request's token" });

const OPEN_SERVICES = /^grpc\.(health|reflection)\./;

/**
 * Checks the token of a request before its body is read.
 * @throws ConnectError `unauthenticated`.
 */
export function createGate(options: AuthOptions | undefined): (context: HandlerContext) => Promise<void> {
  return async context => {
    if (options === undefined) return;
    if (options.open && OPEN_SERVICES.test(context.service.typeName)) return;
    const header = context.requestHeader.get("authorization") ?? "";
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header)?.[1];
    if (token === undefined)
      throw refused("TOKEN_MISSING", "The request has no token: send the header `Authorization: Bearer <token>`.");
    const actor = await options.authenticate(token);
    if (actor === undefined)
      throw refused("TOKEN_UNKNOWN", "The token is not known here: ask an operator for a valid one.");
    context.values.set(actorKey, actor);
  };
}

/** Knows a fixed set of tokens, token to actor. Every comparison takes the same time, right or wrong. */
export function knowTokens(tokens: ReadonlyMap<string, string>): AuthOptions["authenticate"] {
  const known = [...tokens].map(([token, actor]) => ({ hash: hashOf(token), actor }));
  return token => {
    const hash = hashOf(token);
    let found: string | undefined;
    for (const one of known) if (timingSafeEqual(hash, one.hash)) found = one.actor;
    return found;
  };
}

const hashOf = (token: string): Buffer => createHash("sha256").update(token).digest();

const refused = (reason: string, message: string): Error =>
  toConnectError(new SkepError("unauthenticated", reason, message));
