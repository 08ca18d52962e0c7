import { connect, createInbox, errors, type Msg, type NatsConnection, type NodeConnectionOptions } from "nats";
import { BusError, DEFAULT_MAX_PAYLOAD, type Bus, type BusMessage, type BusSubscription } from "./bus.ts";
import { sleepBy, systemClock } from "./clock.ts";
import type { Log } from "./log.ts";
import { systemRandom } from "./random.ts";
import { assertSize, assertSubject } from "./subject.ts";

/** What is told at each login; it may sign the server's challenge. */
export type NatsLogin = (nonce?: string) => {
  readonly user?: string;
  readonly pass?: string;
  readonly nkey: string;
  readonly sig: string;
};

/** Where the servers are, and as which user they let us in. */
export interface NatsOptions {
  /** For example `nats://nats:4222`; several for a cluster. */
  readonly servers: readonly string[];
  /** Shown by the server in its list of connections. */
  readonly name: string;
  readonly user?: string;
  readonly password?: string;
  /** Instead of user and password. */
  readonly login?: NatsLogin;
  /**
   * First token of our inboxes, so that the server can forbid others to listen there; `_INBOX` when
   * absent.
   */
  readonly inboxPrefix?: string;
  readonly log: Log;
}

/** A bus that is closed waits this long for the server to take what was published. */
const FLUSH_MS = 2_000;

interface Wanted {
  readonly pattern: string;
  readonly queue: string | undefined;
  readonly handle: (message: BusMessage) => void;
  close: (() => void) | undefined;
}

/**
 * The bus over NATS. It answers at once and connects in the background for ever, also when the
 * first attempt fails; subscriptions made meanwhile hold from the first connection on.
 */
export function createNatsBus(options: NatsOptions): Bus {
  const bus = new NatsBus(options);
  // Bound, because callers may hand a single method on, as they can with the twin.
  return {
    publish: bus.publish.bind(bus),
    subscribe: bus.subscribe.bind(bus),
    request: bus.request.bind(bus),
    inbox: bus.inbox.bind(bus),
    maxPayload: bus.maxPayload.bind(bus),
    connected: bus.connected.bind(bus),
    onStatus: bus.onStatus.bind(bus),
    close: bus.close.bind(bus),
  };
}

class NatsBus implements Bus {
  readonly #options: NatsOptions;
  readonly #prefix: string;
  readonly #wanted = new Set<Wanted>();
  readonly #handlers = new Set<(connected: boolean) => void>();
  readonly #waiting = new Set<(error: BusError) => void>();
  readonly #closing = new AbortController();
  readonly #ended: Promise<void>;
  #connection: NatsConnection | undefined;
  #up = false;
  #maxPayload = DEFAULT_MAX_PAYLOAD;

  constructor(options: NatsOptions) {
    this.#options = options;
    this.#prefix = options.inboxPrefix ?? "_INBOX";
    this.#ended = this.#live();
  }

  publish(subject: string, data: Uint8Array, options?: { readonly replyTo?: string }): void {
    assertSubject(subject, "subject");
    // The client would keep the message and send it after the return, when it is stale: loss is
    // what callers expect.
    if (!this.#up || this.#connection === undefined) return;
    assertSize(subject, data, this.maxPayload());
    this.#connection.publish(subject, data, options?.replyTo === undefined ? {} : { reply: options.replyTo });
  }

  subscribe(
    pattern: string,
    handle: (message: BusMessage) => void,
    options?: { readonly queue?: string },
  ): BusSubscription {
    assertSubject(pattern, "pattern");
    const wanted: Wanted = { pattern, queue: options?.queue, handle, close: undefined };
    this.#wanted.add(wanted);
    if (this.#connection !== undefined) this.#attach(this.#connection, wanted);
    return {
      close: () => {
        this.#wanted.delete(wanted);
        wanted.close?.();
      },
    };
  }

  async request(subject: string, data: Uint8Array, options: { readonly timeoutMs: number }): Promise<Uint8Array> {
    assertSubject(subject, "subject");
    const connection = this.#connection;
    if (!this.#up || connection === undefined) throw this.#unavailable();
    assertSize(subject, data, this.maxPayload());
    let fail: ((error: BusError) => void) | undefined;
    const lost = new Promise<never>((_, reject) => {
      fail = reject;
      this.#waiting.add(reject);
    });
    try {
      const answer = connection.request(subject, data, { timeout: options.timeoutMs });
      answer.catch(() => undefined);
      return (await Promise.race([answer, lost])).data;
    } catch (error) {
      throw toBusError(error, subject, options.timeoutMs);
    } finally {
      this.#waiting.delete(fail!);
    }
  }

  inbox(): string {
    return createInbox(this.#prefix);
  }

  maxPayload(): number {
    this.#maxPayload = this.#connection?.info?.max_payload ?? this.#maxPayload;
    return this.#maxPayload;
  }

  connected(): boolean {
    return this.#up;
  }

  onStatus(handle: (connected: boolean) => void): BusSubscription {
    this.#handlers.add(handle);
    return { close: () => void this.#handlers.delete(handle) };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // What was published shall arrive; but a flush ends only with the server's answer, and the
    // server may be gone for good.
    if (this.#up) {
      const flushed = new AbortController();
      const sent = this.#connection?.flush().catch(() => undefined);
      await Promise.race([sent, pause(FLUSH_MS, flushed.signal)]);
      flushed.abort();
    }
    await this.#connection?.close();
    await this.#ended;
  }

  /**
   * One turn per connection object; the client reconnects within it, and only a final refusal
   * begins another.
   */
  async #live(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await this.#connect();
        if (connection === undefined) return;
        this.#connection = connection;
        for (const wanted of this.#wanted) this.#attach(connection, wanted);
        // The server has the subscriptions before anything is told that the bus is up.
        await connection.flush().catch(() => undefined);
        this.#setUp(!connection.isClosed());
        void this.#watch(connection);
        await connection.closed();
      } catch (error) {
        this.#options.log.warn("bus.refused", "The message bus refused the connection; trying again.", { error });
        await pause(1_000, this.#closing.signal);
      }
      this.#connection = undefined;
      this.#setUp(false);
    }
  }

  /** Connects, however long that takes; `undefined` when the bus was closed meanwhile. */
  async #connect(): Promise<NatsConnection | undefined> {
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await connect(this.#clientOptions());
        if (!this.#closing.signal.aborted) return connection;
        await connection.close();
      } catch (error) {
        this.#options.log.debug("bus.unreached", "The message bus cannot be reached yet.", { error });
        if (error instanceof errors.AuthorizationError || error instanceof errors.InvalidArgumentError) throw error;
        await pause(200 + systemRandom() * 300, this.#closing.signal);
      }
    }
    return undefined;
  }

  #clientOptions(): NodeConnectionOptions {
    const { servers, name, user, password, login } = this.#options;
    return {
      servers: [...servers],
      name,
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { pass: password }),
      ...(login === undefined ? {} : { authenticator: login }),
      inboxPrefix: this.#prefix,
      // A stack trace per request costs half of the throughput.
      noAsyncTraces: true,
      timeout: 2_000,
      // A silent server is noticed after 10 to 15 s, and its return within a second.
      pingInterval: 5_000,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 500,
      ignoreAuthErrorAbort: true,
    };
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "disconnect" || status.type === "close") this.#setUp(false);
      else if (status.type === "reconnect") this.#setUp(true);
      else if (status.type === "error") {
        this.#options.log.warn("bus.complained", "The message bus reported an error.", { error: status.error });
      }
    }
  }

  #setUp(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    const { log } = this.#options;
    if (up) log.info("bus.connected", "The message bus is connected.", { server: this.#connection?.getServer() });
    else log.warn("bus.lost", "The message bus is away.");
    if (!up) for (const fail of this.#waiting) fail(this.#unavailable());
    for (const handle of this.#handlers) handle(up);
  }

  #attach(connection: NatsConnection, wanted: Wanted): void {
    const subscription = connection.subscribe(wanted.pattern, {
      ...(wanted.queue === undefined ? {} : { queue: wanted.queue }),
      callback: (error, message) => {
        if (error !== null) {
          this.#options.log.error("bus.forbidden", `The message bus does not let us listen on ${wanted.pattern}.`, {
            error,
          });
        } else this.#deliver(wanted, message);
      },
    });
    wanted.close = () => subscription.unsubscribe();
  }

  /** A handler that throws must not take the connection with it. */
  #deliver(wanted: Wanted, message: Msg): void {
    try {
      wanted.handle({
        subject: message.subject,
        data: message.data,
        replyTo: message.reply === undefined || message.reply === "" ? undefined : message.reply,
        reply: data => {
          if (message.reply) this.publish(message.reply, data);
        },
      });
    } catch (error) {
      this.#options.log.error("bus.unhandled", `A message on ${message.subject} could not be handled.`, { error });
    }
  }

  #unavailable(): BusError {
    return new BusError(
      "unavailable",
      `The message bus is not connected (${this.#options.servers.join(", ")}): try again when it is.`,
    );
  }
}

function toBusError(error: unknown, subject: string, timeoutMs: number): BusError {
  if (error instanceof BusError) return error;
  if (error instanceof errors.TimeoutError) {
    return new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`, { cause: error });
  }
  const causes = [error, error instanceof Error ? error.cause : undefined];
  if (causes.some(cause => cause instanceof errors.NoRespondersError)) {
    return new BusError("no_responders", `Nobody listens on ${subject}.`, { cause: error });
  }
  if (causes.some(cause => cause instanceof errors.TimeoutError)) {
    return new BusError("timeout", `No answer on ${subject} within ${timeoutMs} ms.`, { cause: error });
  }
  return new BusError("unavailable", `The message bus could not carry a request on ${subject}: try again.`, {
    cause: error,
  });
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return sleepBy(systemClock.timer, delayMs, signal);
}
