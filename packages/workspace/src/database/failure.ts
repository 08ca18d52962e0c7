import { SkepError } from "@skep/core/error.ts";
import { hideUrlSecrets } from "@skep/kit/url-secrets.ts";
import {
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from "mongodb";

/** The first line of every failure to connect (R143); the true cause follows it. */
const FIRST_LINE = "ERROR: Database connection failed";

/** Codes of MongoDB's server, as its list of errors has them. */
const CODE = {
  unauthorized: 13,
  authenticationFailed: 18,
  maxTimeExpired: 50,
  namespaceNotFound: 26,
  indexNotFound: 27,
  namespaceExists: 48,
  duplicateKey: 11_000,
  atlasError: 8000,
} as const;

/** Whether the server says that there is one like it already. */
export function isDuplicate(code: unknown): boolean {
  return code === CODE.duplicateKey;
}

/** Whether the server says that the collection is there already. */
export function isExisting(error: unknown): boolean {
  return codeOf(error) === CODE.namespaceExists;
}

/** Whether the server says that there is no such collection. */
export function isMissingCollection(error: unknown): boolean {
  return codeOf(error) === CODE.namespaceNotFound;
}

/** Whether the server says that the index is gone already, as where another host took it away. */
export function isMissingIndex(error: unknown): boolean {
  return codeOf(error) === CODE.indexNotFound;
}

/** The server's number of an error; `undefined` where it was not the server's. */
export function codeOf(error: unknown): number | undefined {
  const code = error instanceof MongoServerError ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/**
 * What fails because of one document, and fails again whenever it is sent: bad value, type mismatch
 * and the like, too large, too deep, refused by a validator.
 */
const DOCUMENT_CODES: ReadonlySet<number> = new Set([
  ...[2, 9, 14, 15, 16, 22, 34, 52, 53, 55, 56, 57, 121],
  ...[10_334, 17_280, 17_419, 17_420, 16_755, 5_739_900],
]);

/**
 * What a later attempt may get through: primaries that change, shutdowns, time-outs, write
 * conflicts, a full disk, rights that are not given yet.
 */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([
  ...[6, 7, 13, 18, 24, 46, 50, 64, 79, 89, 91, 100, 112, 133, 134, 150, 175, 189, 202, 226, 234, 246, 262, 290],
  ...[314, 317, 358, 365, 8000, 9001, 10_058, 10_107, 11_600, 11_602, 12_501, 13_388, 13_435, 13_436, 14_031, 17_035],
]);

/** Whether a batch failed as a whole because of what is in it, and not because of the server. */
export function isOfContent(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return DOCUMENT_CODES.has(code);
  // The driver refuses what is too large; BSON what it has no form for, and what goes too deep.
  if (error instanceof MongoInvalidArgumentError) return true;
  return error instanceof Error && !(error instanceof MongoError);
}

/** Whether a document that the server refused by this code may be stored later. */
export function mayPass(code: number): boolean {
  return TRANSIENT_CODES.has(code);
}

/** The failure of a connection in the words of R143, with its cause. Never holds a password. */
export function connectionFailure(error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  const cause = causeOf(error);
  return new SkepError(cause.code, cause.reason, `${FIRST_LINE}\n${cause.says}`, { cause: error });
}

/** The same for a cause that is known otherwise. */
export function refuseConnection(reason: string, says: string): SkepError {
  return new SkepError("failed_precondition", reason, `${FIRST_LINE}\n${says}`);
}

interface Cause {
  readonly code: "invalid_argument" | "unauthenticated" | "permission_denied" | "unavailable" | "failed_precondition";
  readonly reason: string;
  readonly says: string;
}

function causeOf(error: unknown): Cause {
  const text = wordsOf(error);
  const code = codeOf(error);
  if (code === CODE.authenticationFailed || code === CODE.atlasError) {
    const says = `authentication failed: ${text}. Check user, password and authSource of the database's URL.`;
    return { code: "unauthenticated", reason: "DATABASE_AUTHENTICATION", says };
  }
  if (code === CODE.unauthorized) {
    const says = `authentication failed: the user may not do this: ${text}. Give it the role readWrite on the database.`;
    return { code: "permission_denied", reason: "DATABASE_FORBIDDEN", says };
  }
  if (error instanceof MongoServerSelectionError || error instanceof MongoNetworkError) {
    const says = `unreachable: ${text}. Check host, port and replica set of the database's URL, and that a primary is elected.`;
    return { code: "unavailable", reason: "DATABASE_UNREACHABLE", says };
  }
  if (isBadUrl(error)) {
    const says = `invalid URI: ${text}. Use mongodb://user:password@host:port/database?options.`;
    return { code: "invalid_argument", reason: "DATABASE_URL_INVALID", says };
  }
  return { code: "unavailable", reason: "DATABASE_FAILED", says: `${text}.` };
}

function isBadUrl(error: unknown): boolean {
  return (
    error instanceof MongoParseError || error instanceof MongoInvalidArgumentError || !(error instanceof MongoError)
  );
}

/** What an operation's failure means to whoever asked for it. */
export function operationFailure(what: string, error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  const text = `${what} failed: ${wordsOf(error)}.`;
  if (codeOf(error) === CODE.maxTimeExpired || error instanceof MongoOperationTimeoutError)
    return new SkepError("deadline_exceeded", "DATABASE_TOO_SLOW", `${text} Ask for less.`, { cause: error });
  if (isRefused(error)) return new SkepError("invalid_argument", "DATABASE_REFUSED", text, { cause: error });
  return new SkepError("unavailable", "DATABASE_UNAVAILABLE", `${text} It is tried again.`, { cause: error });
}

/** The server refused what was asked, and not the moment. */
function isRefused(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && !mayPass(code);
}

/** The words of an error, without a password and without the full stop. */
export function wordsOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return hideUrlSecrets(text).replace(/\.$/, "").slice(0, 500);
}
