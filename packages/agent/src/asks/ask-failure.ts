import { SkepError } from "@skep/core/error.ts";
import { EngineError } from "../engine/errors.ts";

/**
 * Whatever kept an agent from what it was asked, in the words of the protocol; the engine's own
 * words stay.
 */
export function toSkepError(error: unknown): SkepError {
  if (error instanceof SkepError) return error;
  if (!(error instanceof EngineError))
    return new SkepError("internal", "AGENT_FAILED", "The agent failed to answer; its log says why.", { cause: error });
  switch (error.code) {
    case "not_found":
      return new SkepError("not_found", "ENGINE_NOT_FOUND", error.message, { cause: error });
    case "conflict":
      return new SkepError("aborted", "ENGINE_CONFLICT", `${error.message}: read again and repeat.`, { cause: error });
    case "not_runnable":
      return new SkepError("failed_precondition", "PROGRAM_NOT_RUN", error.message, { cause: error });
    case "unavailable":
      return new SkepError("unavailable", "NO_MANAGER", `${error.message}: ask the agent of a manager node.`, {
        cause: error,
      });
    case "timeout":
    case "hung":
      return new SkepError("deadline_exceeded", "ENGINE_SLOW", error.message, { cause: error });
    default:
      return new SkepError("internal", "ENGINE_FAILED", error.message, { cause: error });
  }
}
