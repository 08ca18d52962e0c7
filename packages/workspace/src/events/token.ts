import { isAllowed } from "@skep/core/workspace/scope.ts";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { areTopics, tokenIssues, type TokenRequest } from "@skep/core/workspace/token-request.ts";
import { isSecret } from "@skep/kit/secret-digest.ts";
import { signToken, TOKEN_ISSUER, tokenAudience, tokenKey } from "@skep/kit/workspace-token.ts";
import { decodeJwt, errors, jwtVerify, type JWTPayload } from "jose";
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

/** Who calls the data plane. */
export interface Caller {
  readonly subject: string;
  /** Which of its calls the token is for; `undefined` for a token of sockets. */
  readonly may: "data" | "peer" | undefined;
}

/** The lock of one workspace: its secret, and the tokens that it issued (R120). */
export interface Lock {
  /**
   * Issues a token for some topics and some time.
   * @throws SkepError where the request is no good.
   */
  issue(request: TokenRequest): Promise<string>;
  /**
   * Who shows this token to the data plane.
   * @throws Refusal for one that is not this workspace's.
   */
  caller(token: string): Promise<Caller>;
  /**
   * What the credentials allow. They come from strangers, and no answer and no log repeats them.
   * @throws Refusal where they allow nothing.
   */
  open(credentials: unknown): Promise<Grant>;
}

const LONGEST_TOKEN = 8_192;

/** Makes the lock of a workspace out of its secret or the secret's digest. */
export function createLock(workspaceId: WorkspaceId, secret: string, now: () => number): Lock {
  const key = tokenKey(workspaceId, secret);
  const audience = tokenAudience(workspaceId);

  async function verified(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: ["HS256"],
        audience,
        issuer: TOKEN_ISSUER,
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(now()),
      });
      return payload;
    } catch (error) {
      throw refusalOf(error, token, audience);
    }
  }

  async function openToken(token: string): Promise<Grant> {
    const { topics, sub = "", exp = 0 } = await verified(token);
    if (!areTopics(topics)) throw new Refusal("TOKEN_INVALID", "The token names no topics.");
    return { subject: sub, scopes: topics, expiresAt: exp * 1_000 };
  }

  return {
    issue: async request => {
      const issues = tokenIssues(request);
      if (issues.length > 0)
        throw new SkepError("invalid_argument", "BAD_TOKEN_REQUEST", "No token is issued for this.", { issues });
      const { subject, topics, lifetimeMs } = request;
      return signToken(workspaceId, key, { subject, topics, from: now(), until: now() + lifetimeMs });
    },
    caller: async token => {
      if (token.length > LONGEST_TOKEN) throw new Refusal("TOKEN_INVALID", "The token is too long.");
      const { sub: subject = "", may } = await verified(token);
      return { subject, may: may === "data" || may === "peer" ? may : undefined };
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

function fieldsOf(credentials: unknown): Readonly<Record<string, unknown>> {
  return typeof credentials === "object" && credentials !== null ? { ...credentials } : {};
}
