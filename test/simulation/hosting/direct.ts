import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createContextValues, type HandlerContext, type Transport } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";
import { hostHandlers } from "@skep/scheduler/api/hosts.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import type { Platform, SchedulerHandle } from "../platform.ts";

type Call = (request: unknown, context: HandlerContext) => unknown;

/**
 * A way to whichever life of a scheduler there is at the moment of a call, by the handlers of its
 * API: requests are made and answers read as messages, and never become bytes, which would take
 * most of the time.
 */
export function directTo(platform: Platform, name: string): Transport {
  const made = new WeakMap<SchedulerHandle, Record<string, Call>>();
  const present = (): Record<string, Call> => {
    const handle = platform.handles.get(name);
    if (handle?.life.alive() !== true) throw new ConnectError(`${name} is not there`, Code.Unavailable);
    const known = made.get(handle) ?? (hostHandlers(withPods(handle.api)) as unknown as Record<string, Call>);
    made.set(handle, known);
    return known;
  };
  const failed = (thrown: unknown): unknown => {
    if (thrown instanceof ConnectError) return thrown;
    if (thrown instanceof SkepError) return toConnectError(thrown);
    platform.violate(`${name} failed at a host's call: ${String((thrown as Error).stack ?? thrown)}`);
    return new ConnectError(String(thrown), Code.Internal);
  };
  const head = { service: undefined as never, header: new Headers(), trailer: new Headers() };
  return {
    unary: async (method, signal, _timeoutMs, _header, input) => {
      try {
        const answer = await present()[method.localName]!(create(method.input, input), contextOf(signal));
        return { ...head, stream: false, method, message: create(method.output, answer as never) };
      } catch (thrown) {
        throw failed(thrown);
      }
    },
    stream: async (method, signal, _timeoutMs, _header, input) => {
      const message = answers(method, input, signal, present, failed);
      return { ...head, stream: true, method, message };
    },
  };
}

/** The nodes say where a pod is reached; pods here are no deployments of the fleet. */
function withPods(api: SchedulerHandle["api"]): SchedulerHandle["api"] {
  const locatePod: Store["locatePod"] = id =>
    Promise.resolve({ isThere: true, nodeId: "", address: { host: `own-${id}`, port: 7_704 } });
  const store = new Proxy(api.store, {
    get: (all, name) => (name === "locatePod" ? locatePod : (all[name as keyof Store] as unknown)),
  });
  return { ...api, store };
}

/** A stream's answers, until it ends or nobody wants them any more. */
async function* answers<I extends DescMessage, O extends DescMessage>(
  method: { readonly localName: string; readonly input: I; readonly output: O },
  input: AsyncIterable<MessageInitShape<I>>,
  signal: AbortSignal | undefined,
  present: () => Record<string, Call>,
  failed: (thrown: unknown) => unknown,
): AsyncGenerator<MessageShape<O>> {
  const gone = new Promise<never>((_, reject) => {
    const leave = (): void => reject(new ConnectError("nobody listens", Code.Canceled));
    if (signal?.aborted === true) leave();
    signal?.addEventListener("abort", leave, { once: true });
  });
  gone.catch(() => undefined);
  try {
    for await (const request of input) {
      const all = present()[method.localName]!(create(method.input, request), contextOf(signal));
      const each = (all as AsyncIterable<unknown>)[Symbol.asyncIterator]();
      for (;;) {
        const next = await Promise.race([each.next(), gone]);
        if (next.done === true) return;
        yield create(method.output, next.value as never);
      }
    }
  } catch (thrown) {
    throw failed(thrown);
  }
}

function contextOf(signal: AbortSignal | undefined): HandlerContext {
  const context = { values: createContextValues(), signal: signal ?? new AbortController().signal };
  return { ...context, requestHeader: new Headers() } as unknown as HandlerContext;
}
