import { HTTP_LIMITS } from "@skep/kit/http-listener.ts";
import type { ListenLimits } from "./listen.ts";
import type { RateLimits } from "./rate.ts";

/** Everything that bounds what a client may take. */
export interface Limits extends ListenLimits, RateLimits {
  /**
   * Largest body of a request. A command's standard input alone may be 1 MiB; nothing else comes
   * near it.
   */
  readonly maxBytes: number;
}

/** What holds where nobody says otherwise. */
export const LIMITS: Limits = {
  ...HTTP_LIMITS,
  streamsPerConnection: 250,
  maxBytes: 2 * 1024 * 1024,
  failedAuthsPerMinute: 30,
  requestsPerSecond: 1_000,
};
