/**
 * Closed set of failure codes; each maps to a Connect code, an HTTP status and an exit code of the
 * CLI. `aborted` is a stale resource version: read again and repeat.
 */
export type ErrorCode =
  | "invalid_argument"
  | "unauthenticated"
  | "permission_denied"
  | "not_found"
  | "already_exists"
  | "failed_precondition"
  | "aborted"
  | "resource_exhausted"
  | "unavailable"
  | "deadline_exceeded"
  | "unimplemented"
  | "internal";

/** One thing that is wrong with an input: where it is, what is wrong, what to do. */
export interface Issue {
  /** Path of the field in the spec, for example `containers[0].image`. */
  readonly path: string;
  readonly problem: string;
  readonly advice: string;
}

/** A failure with a code for programs, a sentence for people, and details as data. */
export class SkepError extends Error {
  override readonly name = "SkepError";
  readonly code: ErrorCode;
  /** Machine-readable reason, stable, for example `DOMAIN_TAKEN`. */
  readonly reason: string;
  readonly details: Readonly<Record<string, string>>;
  readonly issues: readonly Issue[];

  constructor(
    code: ErrorCode,
    reason: string,
    message: string,
    more: {
      readonly details?: Readonly<Record<string, string>>;
      readonly issues?: readonly Issue[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.reason = reason;
    this.details = more.details ?? {};
    this.issues = more.issues ?? [];
  }
}
