import { createHmac, hkdfSync } from "node:crypto";
import { digestSecret, isDigest } from "./secret-digest.ts";

/** Who every token of a workspace says that it comes from. */
export const TOKEN_ISSUER = "skep";

/** For whom the tokens of a workspace are. */
export function tokenAudience(workspaceId: string): string {
  return `workspace:${workspaceId}`;
}

/**
 * The key of a workspace's tokens. A host and a scheduler know its secret's digest only, a program
 * that runs it by itself the secret: all make the same key of it. Another workspace's key differs
 * even for the same secret.
 */
export function tokenKey(workspaceId: string, secret: string): Uint8Array {
  const kept = isDigest(secret) ? secret : digestSecret(workspaceId, secret);
  return new Uint8Array(hkdfSync("sha256", kept, workspaceId, "skep/workspace/events/1", 32));
}

/** What a token says. */
export interface TokenClaims {
  readonly subject: string;
  /** Filters of what its sockets may hear. */
  readonly topics?: readonly string[];
  /** Which calls of the data plane it is for; no user is given such a token. */
  readonly may?: "data" | "peer";
  /** When it is issued and when it ends, ms since 1970. */
  readonly from: number;
  readonly until: number;
}

/** Makes a token of a workspace: a JWT, HS256. */
export function signToken(workspaceId: string, key: Uint8Array, claims: TokenClaims): string {
  const { subject, topics, may, from, until } = claims;
  const head = encode({ alg: "HS256", typ: "JWT" });
  const body = encode({
    ...{ iss: TOKEN_ISSUER, aud: tokenAudience(workspaceId), sub: subject, topics, may },
    ...{ iat: Math.floor(from / 1_000), exp: Math.floor(until / 1_000) },
  });
  const mac = createHmac("sha256", key).update(`${head}.${body}`).digest("base64url");
  return `${head}.${body}.${mac}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** How long a call of one process of the platform to another may take to begin. */
const CALL_MS = 30_000;

/**
 * A token with which the platform calls the host of a workspace: `data` for what its tenant asks,
 * `peer` for what another host of it does.
 */
export function signCall(workspaceId: string, secret: string, may: "data" | "peer", by: string, now: number): string {
  const claims = { subject: by, may, from: now, until: now + CALL_MS };
  return signToken(workspaceId, tokenKey(workspaceId, secret), claims);
}
