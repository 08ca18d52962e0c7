import type { ErrorCode } from "@skep/core/error.ts";

/**
 * What scripts get: 0 is success, every other number a kind of failure (the table in README.md).
 */
export const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  invalid_argument: 2,
  unimplemented: 2,
  unauthenticated: 4,
  permission_denied: 4,
  not_found: 5,
  already_exists: 6,
  failed_precondition: 6,
  aborted: 7,
  resource_exhausted: 8,
  unavailable: 9,
  deadline_exceeded: 9,
  internal: 70,
};

/** A command line that cannot be understood. */
export const USAGE = 2;

/** Ended by Ctrl-C, as shells count it. */
export const INTERRUPTED = 130;

/** A program that could not be started in a container, as shells count it. */
export const PROGRAM_NOT_RUN = 127;

/**
 * Thrown by a command that is done and ends with a code of its own; there is nothing to say about
 * it.
 */
export class Ended extends Error {
  override readonly name = "Ended";
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`ended with ${exitCode}`);
    this.exitCode = exitCode;
  }
}
