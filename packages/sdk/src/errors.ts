import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";

type AnyCall = (...args: unknown[]) => unknown;

/** A client whose calls fail with SkepError: code, reason, details and issues, instead of a ConnectError. */
export function withSkepErrors<T extends DescService>(service: T, client: Client<T>): Client<T> {
  const calls = client as Readonly<Record<string, AnyCall>>;
  const wrapped: Record<string, AnyCall> = {};
  for (const method of service.methods) {
    const call = calls[method.localName];
    if (call === undefined) continue;
    wrapped[method.localName] =
      method.methodKind === "unary" || method.methodKind === "client_streaming"
        ? async (...args) => await (call(...args) as Promise<unknown>).catch(fail)
        : (...args) => translate(call(...args) as AsyncIterable<unknown>);
  }
  return wrapped as Client<T>;
}

function fail(thrown: unknown): never {
  throw fromConnectError(thrown);
}

async function* translate<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* items;
  } catch (thrown) {
    fail(thrown);
  }
}
