import { hkdfSync } from "node:crypto";
import { isAllowed, isSocketFilter, MOST_SCOPES } from "@skep/core/workspace/scope.ts";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { digestSecret, isDigest, isSecret } from "@skep/kit/secret-digest.ts";
import { decodeJwt, errors, jwtVerify, SignJWT } from "jose";
import { Refusal } from "./refusal.ts";

/** What somebody who got in may do. */
export interface Grant {
  /** Whom the token was issued to; `owner` for the workspace's secret. */
  readonly subject: string;
  /** Filters that cover whatever it may subscribe to. */
  readonly scopes: readonly string[];
  /** When it ends, ms since 1970; `undefined` for the secret. */
  readonly expiresAt: number | undefined;
}

/** What a token is issued for. */
export interface TokenRequest {
  readonly subject: string;
  readonly topics: readonly string[];
  readonly lifetimeMs: number;
}

/** The lock of one workspace: its secret, and the tokens that it issued (R120). */
export interface Lock {
  /**
   * Issues a token for some topics and some time.
   * @throws SkepError where the request is no good.
   */
  issue(request: TokenRequest): Promise<string>;
  /**
   * What the credentials allow. They come from strangers, and no answer and no log repeats them.
   * @throws Refusal where they allow nothing.
   */
  open(credentials: unknown): Promise<Grant>;
}

const ISSUER = "skep";
const LONGEST_TOKEN = 8_192;
const LONGEST_LIFETIME_MS = 30 * 86_400_000;

/**
 * Makes the lock of a workspace. A host knows its secret's digest only, a program that runs it by
 * itself the secret: both make the same key of it. Another workspace's key differs even for the
 * same secret.
 */
export function createLock(workspaceId: WorkspaceId, secret: string, now: () => number): Lock {
  const kept = isDigest(secret) ? secret : digestSecret(workspaceId, secret);
  const key = new Uint8Array(hkdfSync("sha256", kept, workspaceId, "skep/workspace/events/1", 32));
  const audience = `workspace:${workspaceId}`;

  async function openToken(token: string): Promise<Grant> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ["HS256"],
        audience,
        issuer: ISSUER,
        requiredClaims: ["exp", "sub", "topics"],
        currentDate: new Date(now()),
      });
      const { topics, sub = "", exp = 0 } = payload;
      if (!areTopics(topics)) throw new Refusal("TOKEN_INVALID", "The token names no topics.");
      return { subject: sub, scopes: topics, expiresAt: exp * 1_000 };
    } catch (error) {
      throw refusalOf(error, token, audience);
    }
  }

  return {
    issue: async ({ subject, topics, lifetimeMs }) => {
      if (!areTopics(topics)) throw bad("TOPICS", `name 1 to ${MOST_SCOPES} filters such as devices/+/telemetry/#`);
      if (!(lifetimeMs >= 1_000 && lifetimeMs <= LONGEST_LIFETIME_MS)) throw bad("LIFETIME", "use 1 s to 30 days");
      if (subject === "" || subject.length > 200) throw bad("SUBJECT", "use 1 to 200 characters");
      const jwt = new SignJWT({ topics }).setProtectedHeader({ alg: "HS256", typ: "JWT" });
      const expiresAt = Math.floor((now() + lifetimeMs) / 1_000);
      return await jwt
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setSubject(subject)
        .setIssuedAt(Math.floor(now() / 1_000))
        .setExpirationTime(expiresAt)
        .sign(key);
    },
    open: async credentials => {
      const { secret: shown, token } = fieldsOf(credentials);
      if (typeof token === "string" && token.length <= LONGEST_TOKEN) return await openToken(token);
      if (typeof shown === "string" && shown.length <= LONGEST_TOKEN) {
        if (isSecret(workspaceId, secret, shown)) return { subject: "owner", scopes: ["#"], expiresAt: undefined };
        throw new Refusal("WRONG_SECRET", "The secret is not this workspace's.");
      }
      const advice = "give the workspace's secret as auth.secret, or a token that it issued as auth.token";
      throw new Refusal("NO_CREDENTIALS", `There is no secret and no token: ${advice}.`);
    },
  };
}

/** Whether a grant holds a filter. */
export function mayHear({ scopes }: Grant, filter: string): boolean {
  return isAllowed(scopes, filter);
}

function refusalOf(error: unknown, token: string, audience: string): unknown {
  if (error instanceof errors.JWTExpired) return new Refusal("TOKEN_EXPIRED", "The token has expired: get a new one.");
  if (!(error instanceof errors.JOSEError)) return error;
  if (audienceOf(token) !== audience) {
    return new Refusal("TOKEN_OF_ANOTHER_WORKSPACE", "The token was not issued for this workspace.");
  }
  return new Refusal("TOKEN_INVALID", "The token was not signed by this workspace, or is damaged.");
}

/** What an unproved token says of itself; good for the words of a refusal only. */
function audienceOf(token: string): unknown {
  try {
    return decodeJwt(token).aud;
  } catch {
    return undefined;
  }
}

function areTopics(topics: unknown): topics is readonly string[] {
  if (!Array.isArray(topics) || topics.length === 0 || topics.length > MOST_SCOPES) return false;
  return topics.every(topic => typeof topic === "string" && isSocketFilter(topic));
}

function fieldsOf(credentials: unknown): Readonly<Record<string, unknown>> {
  return typeof credentials === "object" && credentials !== null ? { ...credentials } : {};
}

function bad(what: string, advice: string): SkepError {
  return new SkepError("invalid_argument", `BAD_${what}`, `No token for this ${what.toLowerCase()}: ${advice}.`);
}
