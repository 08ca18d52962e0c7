import { randomUUID } from "node:crypto";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { ValidationError } from "@bufbuild/protovalidate";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Interceptor } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";
import type { Log } from "@skep/kit/log.ts";

/**
 * Turns whatever a handler throws into an error that a client can use. Errors of ours keep their
 * words; anything else is a defect of ours: the client gets an id, the log gets the id and the
 * error. A stream that ends because `stopping` is aborted fails with `unavailable`: its client must
 * not take it for complete.
 */
export function createErrorInterceptor(log: Log, stopping?: AbortSignal): Interceptor {
  return next => async request => {
    const toError = (thrown: unknown): ConnectError => translate(thrown, request.method.toString(), log);
    try {
      const response = await next(request);
      if (!response.stream) return response;
      return { ...response, message: translateStream(response.message, toError, stopping) };
    } catch (thrown) {
      throw toError(thrown);
    }
  };
}

async function* translateStream<T>(
  items: AsyncIterable<T>,
  toError: (thrown: unknown) => ConnectError,
  stopping: AbortSignal | undefined,
): AsyncIterable<T> {
  try {
    yield* items;
  } catch (thrown) {
    throw toError(stopping?.aborted === true ? isStopping() : thrown);
  }
  if (stopping?.aborted === true) throw toError(isStopping());
}

function isStopping(): SkepError {
  return new SkepError("unavailable", "STOPPING", "This server is stopping; ask again, and another one answers.");
}

/** A client that went away, or was sent away in the middle of an answer, is no defect. */
function isLeave(thrown: unknown): thrown is Error {
  return thrown instanceof Error && (thrown.name === "AbortError" || ("code" in thrown && thrown.code === "ECANCELED"));
}

function translate(thrown: unknown, method: string, log: Log): ConnectError {
  if (thrown instanceof SkepError) return toConnectError(thrown);
  if (thrown instanceof ConnectError) {
    if (thrown.cause instanceof ValidationError) return toConnectError(fromValidation(thrown.cause));
    if (thrown.code !== Code.Internal && thrown.code !== Code.Unknown) return thrown;
  }
  if (isLeave(thrown))
    return new ConnectError("The request was given up.", Code.Canceled, undefined, undefined, thrown);
  const id = randomUUID();
  log.error("request.failed", `${method} failed for a reason that is not the client's`, { id, method, error: thrown });
  return toConnectError(
    new SkepError(
      "internal",
      "INTERNAL",
      `Something went wrong here; tell an operator the id ${id}, which is in the log.`,
      {
        details: { id },
      },
    ),
  );
}

/** Every broken rule as an issue, and all of them in one sentence. */
function fromValidation(error: ValidationError): SkepError {
  const issues = error.violations.map(violation => ({
    path: pathToString(violation.field),
    problem: violation.message,
    advice: "",
  }));
  const sentence = issues.map(({ path, problem }) => (path === "" ? problem : `${path}: ${problem}`)).join("; ");
  return new SkepError("invalid_argument", "INVALID_REQUEST", `The request is not valid: ${sentence}.`, {
    issues,
    cause: error,
  });
}
