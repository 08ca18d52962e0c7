import { EngineError, type EngineErrorCode } from "./errors.ts";

const BY_STATUS: Readonly<Record<number, EngineErrorCode>> = {
  400: "bad_request",
  401: "denied",
  403: "denied",
  404: "not_found",
  409: "conflict",
  503: "unavailable",
};

const GONE_ERRNOS = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOENT",
  "EPIPE",
  "EACCES",
  "EAGAIN",
  "ECONNABORTED",
  "UND_ERR_SOCKET",
]);

/**
 * The engine answers 500 (or 403) to these, with nothing but words to tell them from any other
 * failure; the words are libnetwork's and the kernel's, unchanged since Docker 1.9.
 */
const BY_WORDS: readonly (readonly [RegExp, EngineErrorCode])[] = [
  [/port is already allocated|address already in use/i, "port_taken"],
  [/pool overlaps|overlaps with other one|conflicts with network|cannot overlap/i, "subnet_taken"],
  [/has active endpoints/i, "conflict"],
];

/** What a pull says within its answer, where no status tells it. */
const PULL_WORDS: readonly (readonly [RegExp, EngineErrorCode])[] = [
  [/pull access denied|unauthorized|authentication required|denied/i, "denied"],
  [/manifest unknown|not found|does not exist/i, "not_found"],
];

/**
 * Turns whatever dockerode throws into an EngineError, by HTTP status and errno, keeping the
 * engine's words.
 */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  if (!(error instanceof Error)) return new EngineError("failed", String(error), { cause: error });
  const { statusCode, code, json } = error as { statusCode?: number; code?: unknown; json?: unknown };
  const words = wordsOf(json) ?? error.message;
  if (error.name === "AbortError" || error.name === "TimeoutError")
    return new EngineError("timeout", words, { cause: error });
  for (const [pattern, meaning] of BY_WORDS)
    if (pattern.test(words)) return new EngineError(meaning, words, { cause: error });
  if (statusCode !== undefined) return new EngineError(BY_STATUS[statusCode] ?? "failed", words, { cause: error });
  if (typeof code === "string" && GONE_ERRNOS.has(code)) {
    return new EngineError("unavailable", `the engine cannot be reached: ${error.message}`, { cause: error });
  }
  return new EngineError("failed", words, { cause: error });
}

/** A failure that a pull reports within its progress. */
export function toPullError(words: string): EngineError {
  const code = PULL_WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? "failed";
  return new EngineError(code, words);
}

/** Whether the engine says that what was asked for holds already. */
export function isAlreadySo(error: unknown): boolean {
  return error instanceof Error && (error as { statusCode?: number }).statusCode === 304;
}

function wordsOf(json: unknown): string | undefined {
  if (typeof json !== "object" || json === null) return undefined;
  const { message } = json as { message?: unknown };
  return typeof message === "string" && message !== "" ? message : undefined;
}
