import type { MessageInitShape } from "@bufbuild/protobuf";
import { SkepError } from "@skep/core/error.ts";
import type { ErrorCode } from "@skep/core/error.ts";
import type { ErrorDetail, ErrorDetailSchema } from "../gen/skep/v1/error_pb.ts";

/** Every code, so that a word from the wire can be checked against it. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  invalid_argument: true,
  unauthenticated: true,
  permission_denied: true,
  not_found: true,
  already_exists: true,
  failed_precondition: true,
  aborted: true,
  resource_exhausted: true,
  unavailable: true,
  deadline_exceeded: true,
  unimplemented: true,
  internal: true,
};

/** The machine-readable part of an error; `details.advice` travels as `advice`. */
export function detailToProto(error: SkepError): MessageInitShape<typeof ErrorDetailSchema> {
  const { advice, ...metadata } = error.details;
  return {
    reason: error.reason,
    advice: advice ?? "",
    metadata,
    issues: error.issues.map(issue => ({ ...issue })),
  };
}

/** The error again; a code word that this version does not know becomes `internal`. */
export function fromCodeAndDetail(code: string, message: string, detail: ErrorDetail | undefined): SkepError {
  const known = Object.hasOwn(CODES, code) ? (code as ErrorCode) : "internal";
  return new SkepError(known, detail?.reason ?? "UNKNOWN", message, {
    details: { ...detail?.metadata, ...(detail?.advice ? { advice: detail.advice } : {}) },
    issues: (detail?.issues ?? []).map(({ path, problem, advice }) => ({ path, problem, advice })),
  });
}
