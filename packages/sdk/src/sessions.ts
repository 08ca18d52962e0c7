import { Http2SessionManager } from "@connectrpc/connect-node";
import type { Transport } from "@connectrpc/connect";
import { AsyncLocalStorage } from "node:async_hooks";
import { constants } from "node:http2";
import type { ClientHttp2Stream } from "node:http2";

const leaving = new AsyncLocalStorage<AbortSignal>();

/**
 * HTTP/2 connections that let go of a stream whose call is aborted. Node ends a stream only after
 * all of it was read: one that is left with its end unread would hold the connection, and with it
 * the process, for ever.
 */
export class Sessions extends Http2SessionManager {
  /** Opens a stream; see Http2SessionManager. */
  override async request(...args: Parameters<Http2SessionManager["request"]>): Promise<ClientHttp2Stream> {
    const stream = await super.request(...args);
    const letGo = (): void => {
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy();
    };
    const signal = leaving.getStore();
    signal?.addEventListener("abort", letGo, { once: true });
    stream.once("close", () => signal?.removeEventListener("abort", letGo));
    if (signal?.aborted === true) letGo();
    return stream;
  }
}

/**
 * Tells Sessions, which sees requests only, of the signal of each streaming call, and of calls that
 * failed.
 */
export function withLeaving(transport: Transport): Transport {
  return {
    unary: async (...args) => {
      const left = new AbortController();
      try {
        return await leaving.run(left.signal, () => transport.unary(...args));
      } catch (error) {
        // An answer that is none, such as a page of another server, is refused before all of it was
        // read.
        left.abort();
        throw error;
      }
    },
    stream: (method, signal, ...rest) =>
      signal === undefined
        ? transport.stream(method, signal, ...rest)
        : leaving.run(signal, () => transport.stream(method, signal, ...rest)),
  };
}
