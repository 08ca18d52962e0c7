import { SkepError } from "@skep/core/error.ts";
import type { Issue } from "@skep/core/error.ts";
import { EXIT_CODES, PROGRAM_NOT_RUN } from "./exit-code.ts";
import type { Io } from "./io.ts";

/** The reason of a command whose program a container does not have, or cannot run. */
const NOT_RUN = "PROGRAM_NOT_RUN";

/**
 * Says what went wrong, where, and what to do: one paragraph on the error output, or one JSON
 * object with `--output json`. Answers the exit code.
 */
export function reportFailure(error: unknown, io: Io, argv: readonly string[]): number {
  const failure = asFailure(error);
  io.err(wantsJson(argv) ? `${JSON.stringify(failureJson(failure))}\n` : renderFailure(failure));
  if (failure.code === "internal" && (io.env["SKEP_DEBUG"] ?? "") !== "" && error instanceof Error)
    io.err(`${error.stack ?? ""}\n`);
  return failure.reason === NOT_RUN ? PROGRAM_NOT_RUN : EXIT_CODES[failure.code];
}

/** A failure as people read it. */
export function renderFailure(failure: SkepError): string {
  const advice = failure.details["advice"];
  const sentence = `skep: ${stop(failure.message)}${advice === undefined || failure.message.includes(advice) ? "" : ` ${stop(capital(advice))}`}`;
  // The platform's sentence may tell all of them already.
  const untold = failure.issues.filter(({ path, problem, advice }) => {
    const told = failure.message.includes(path === "" ? problem : `${path}: ${problem}`);
    return !told || (advice !== "" && !sentence.includes(capital(advice)));
  });
  return [sentence, ...untold.map(issue => `  ${renderIssue(issue)}`)].map(line => `${line}\n`).join("");
}

/** A failure as programs read it; `reason` is stable, the sentences are not. */
export function failureJson(failure: SkepError): object {
  const { code, reason, message, details, issues } = failure;
  return { error: { code, reason, message, details, issues } };
}

function renderIssue(issue: Issue): string {
  return `${issue.path === "" ? "" : `${issue.path}: `}${stop(issue.problem)} ${stop(capital(issue.advice))}`.trimEnd();
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function asFailure(error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new SkepError(
    "internal",
    "CLI_BUG",
    `This should not happen: ${words}. Run it again with SKEP_DEBUG=1 and report what it prints.`,
    { cause: error },
  );
}

function wantsJson(argv: readonly string[]): boolean {
  // After `--` stands somebody else's command line.
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).some(
    (word, index) => word === "--output=json" || (/^(--output|-o)$/.test(word) && argv[index + 1] === "json"),
  );
}

function stop(sentence: string): string {
  return sentence === "" || /[.!?:]$/.test(sentence) ? sentence : `${sentence}.`;
}
