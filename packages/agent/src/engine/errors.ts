/**
 * Why an engine did not do what was asked.
 * `not_found` the container, network or image is not there; `conflict` it is in a state that
 * forbids the call (name taken, network in use); `port_taken` the host port is in use;
 * `subnet_taken` the address block is in use;
 * `not_runnable` a command's program is not in the container or cannot be run there;
 * `denied` the registry or the engine refuses; `bad_request` the engine calls the request
 * malformed; `timeout` no answer within the deadline; `hung` this container did not answer lately,
 * so it is not asked again yet; `unavailable` the engine cannot be reached; `failed` everything
 * else, with the engine's words.
 */
export type EngineErrorCode =
  | "not_found"
  | "conflict"
  | "port_taken"
  | "subnet_taken"
  | "not_runnable"
  | "denied"
  | "bad_request"
  | "timeout"
  | "hung"
  | "unavailable"
  | "failed";

/** A call that the engine did not carry out. `message` holds the engine's own words. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;
  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The code of an engine failure, `failed` for anything that is not an EngineError. */
export function engineErrorCode(error: unknown): EngineErrorCode {
  return error instanceof EngineError ? error.code : "failed";
}
