import { SkepError } from "@skep/core/error.ts";

/** What Node calls failures of HTTP/2, of TLS and of certificates. */
const BROKEN = /^(ERR_(HTTP2|SSL|TLS|OSSL)|CERT_|DEPTH_|SELF_SIGNED|UNABLE_TO|EPROTO$)/;

/**
 * Says in a command's own words why a platform could not be asked: nobody or somebody else answers
 * there, or the token is no good. Other errors as they are.
 */
export function explainUnreachable(error: unknown, url: string): unknown {
  if (!(error instanceof SkepError)) return error;
  const explained = (code: SkepError["code"], reason: string, message: string): SkepError =>
    new SkepError(code, reason, message, { cause: error });
  const address = "its address: SKEP_URL, or `skep context list`";
  if (error.reason === "TOKEN_MISSING")
    return explained(
      "unauthenticated",
      error.reason,
      `${url} wants a token: name its file in SKEP_TOKEN_FILE, or log in with \`skep login ${url} --token-file FILE\`.`,
    );
  if (error.reason === "TOKEN_UNKNOWN")
    return explained(
      "unauthenticated",
      error.reason,
      `${url} does not know this token. Is it another platform's? Check SKEP_TOKEN_FILE, SKEP_TOKEN and \`skep context list\`, or ask an operator for a valid one.`,
    );
  if (error.reason === "NO_SERVER_ANSWERS")
    return explained(
      "unavailable",
      "PLATFORM_UNREACHABLE",
      `${error.message} Check that the platform runs, and ${address}.`,
    );
  // With a reason of its own the platform did answer: it is something behind it that is away.
  if (error.reason === "UNAVAILABLE")
    return explained(
      "unavailable",
      "PLATFORM_UNREACHABLE",
      `Nobody answers at ${url} (${error.message}). Check that the platform runs, and ${address}.`,
    );
  if (/^HTTP \d+$/.test(error.message) || (error.reason === "INTERNAL" && isBroken(error)))
    return explained(
      "unavailable",
      "NOT_A_PLATFORM",
      `What answers at ${url} is no Skep (${error.message.trim()}). Check http or https, the port, and ${address}.`,
    );
  return error;
}

function isBroken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { readonly code?: unknown };
  return (typeof code === "string" && BROKEN.test(code)) || isBroken(error.cause);
}
