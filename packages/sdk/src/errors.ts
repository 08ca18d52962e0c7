import type { DescService } from "@bufbuild/protobuf";
import type { CallOptions, Client } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";

type AnyCall = (request: unknown, options?: CallOptions) => unknown;

/**
 * A client whose calls fail with SkepError: code, reason, details and issues, instead of a
 * ConnectError. Leaving the loop over a stream ends its request.
 */
export function withSkepErrors<T extends DescService>(service: T, client: Client<T>): Client<T> {
  const calls = client as Readonly<Record<string, AnyCall>>;
  const wrapped: Record<string, AnyCall> = {};
  for (const method of service.methods) {
    const call = calls[method.localName];
    if (call === undefined) continue;
    wrapped[method.localName] =
      method.methodKind === "unary" || method.methodKind === "client_streaming"
        ? async (request, options) =>
            await (call(request, options) as Promise<unknown>).catch((thrown: unknown) => fail(thrown, options?.signal))
        : (request, options) =>
            endable(signal => call(request, { ...options, signal }) as AsyncIterable<unknown>, options?.signal);
  }
  return wrapped as Client<T>;
}

function fail(thrown: unknown, signal: AbortSignal | undefined): never {
  const error = fromConnectError(thrown);
  // Connect calls a connection that breaks "aborted", which is our word for a change that was
  // overtaken, or "canceled", as if the caller had ended the call.
  const isBroken = error.reason === "ABORTED" || (error.reason === "CANCELED" && signal?.aborted !== true);
  if (!isBroken) throw error;
  throw new SkepError("unavailable", "CONNECTION_LOST", `The connection broke (${error.message}); try again.`, {
    cause: thrown,
  });
}

/**
 * A stream whose `return` aborts the request at once, also while an item is waited for. Connect's
 * own streams have no `return`: a reader that leaves them would keep the connection, and with it
 * the process.
 */
function endable<T>(open: (signal: AbortSignal) => AsyncIterable<T>, given: AbortSignal | undefined): AsyncIterable<T> {
  const left = new AbortController();
  const items = open(given === undefined ? left.signal : AbortSignal.any([given, left.signal]))[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  const iterator: AsyncIterableIterator<T> = {
    next: async () => {
      if (left.signal.aborted) return done;
      try {
        return await items.next();
      } catch (thrown) {
        if (left.signal.aborted) return done;
        left.abort();
        return fail(thrown, given);
      }
    },
    return: async () => {
      left.abort();
      return done;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}
