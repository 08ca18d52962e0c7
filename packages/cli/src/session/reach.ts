import { SkepError } from "@skep/core/error.ts";

/** Says which platform does not answer and what to do, where a call did not get through; other errors as they are. */
export function explainUnreachable(error: unknown, url: string): unknown {
  // With a reason of its own the platform did answer: it is something behind it that is away.
  if (!(error instanceof SkepError) || error.reason !== "UNAVAILABLE") return error;
  return new SkepError(
    "unavailable",
    "PLATFORM_UNREACHABLE",
    `Nobody answers at ${url} (${error.message}). Check that the platform runs, and its address: SKEP_URL, or \`skep context list\`.`,
    { cause: error },
  );
}
