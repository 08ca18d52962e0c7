/** What a NATS server takes where nobody configured it. */
export const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/**
 * One message that arrived. `reply` sends an answer to a request; for a plain publish it does
 * nothing.
 */
export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /**
   * Where answers go; a responder may publish several messages there (a stream). `undefined` for a
   * plain publish.
   */
  readonly replyTo: string | undefined;
  reply(data: Uint8Array): void;
}

/** A subscription that can be ended. */
export interface BusSubscription {
  close(): void;
}

/**
 * The message bus (NATS core) as a port. Delivery is at most once, in order per publisher and
 * subject; everything that matters is therefore repeated, acknowledged, or found again by the
 * minute reconcile. While the connection is away `publish` drops silently and `request` fails with
 * code `unavailable`.
 */
export interface Bus {
  publish(subject: string, data: Uint8Array, options?: { readonly replyTo?: string }): void;
  /**
   * `*` matches one token, `>` the rest. With `queue`, one member of the queue group gets each
   * message.
   */
  subscribe(
    subject: string,
    handle: (message: BusMessage) => void,
    options?: { readonly queue?: string },
  ): BusSubscription;
  /**
   * Sends and waits for one answer.
   * @throws BusError `no_responders` (nobody listens), `timeout`, or `unavailable` (not connected).
   */
  request(subject: string, data: Uint8Array, options: { readonly timeoutMs: number }): Promise<Uint8Array>;
  /** A fresh subject that only this connection may subscribe to, for streams of answers. */
  inbox(): string;
  /**
   * Size in bytes of the largest message that the server takes: a larger one throws RangeError
   * here. While the connection is away it is the last one known, and NATS's own default before the
   * first.
   */
  maxPayload(): number;
  /** Whether the connection stands right now. */
  connected(): boolean;
  /**
   * Called on every loss and return of the connection; after a return messages may have been
   * missed.
   */
  onStatus(handle: (connected: boolean) => void): BusSubscription;
  close(): Promise<void>;
}

/** Why a request got no answer. */
export class BusError extends Error {
  override readonly name = "BusError";
  readonly code: "no_responders" | "timeout" | "unavailable";
  constructor(code: "no_responders" | "timeout" | "unavailable", message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
