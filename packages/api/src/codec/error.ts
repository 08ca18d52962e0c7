import { Code, ConnectError } from "@connectrpc/connect";
import { SkepError } from "@skep/core/error.ts";
import type { ErrorCode } from "@skep/core/error.ts";
import { ErrorDetailSchema } from "../gen/skep/v1/error_pb.ts";
import { detailToProto, fromCodeAndDetail } from "./error-detail.ts";

const CONNECT_CODES: Readonly<Record<ErrorCode, Code>> = {
  invalid_argument: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  permission_denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  failed_precondition: Code.FailedPrecondition,
  aborted: Code.Aborted,
  resource_exhausted: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  deadline_exceeded: Code.DeadlineExceeded,
  unimplemented: Code.Unimplemented,
  internal: Code.Internal,
};

const WORDS = new Map((Object.entries(CONNECT_CODES) as [ErrorCode, Code][]).map(([word, code]) => [code, word]));

/** Codes of Connect that Skep never sends itself, read as the nearest of ours. */
const NEAREST: ReadonlyMap<Code, ErrorCode> = new Map([
  [Code.Canceled, "deadline_exceeded"],
  [Code.OutOfRange, "invalid_argument"],
  [Code.DataLoss, "internal"],
  [Code.Unknown, "internal"],
]);

/** An error of ours as Connect sends it, with its detail attached. */
export function toConnectError(error: SkepError): ConnectError {
  return new ConnectError(
    error.message,
    CONNECT_CODES[error.code],
    undefined,
    [{ desc: ErrorDetailSchema, value: detailToProto(error) }],
    error,
  );
}

/**
 * Anything a call threw as an error of ours; without a detail its reason is Connect's code in
 * capitals.
 */
export function fromConnectError(thrown: unknown): SkepError {
  if (thrown instanceof SkepError) return thrown;
  const error = ConnectError.from(thrown);
  const code = WORDS.get(error.code) ?? NEAREST.get(error.code) ?? "internal";
  const detail = error.findDetails(ErrorDetailSchema)[0];
  if (detail !== undefined) return fromCodeAndDetail(code, error.rawMessage, detail);
  return new SkepError(
    code,
    (Code[error.code] ?? "Unknown").replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
    error.rawMessage,
    {
      cause: thrown,
    },
  );
}
