import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { createClient, type CallOptions, type HandlerContext } from "@connectrpc/connect";
import type { ServiceImpl, Transport } from "@connectrpc/connect";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";
import { originOf, namespaceOf } from "@skep/core/workspace/reach.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { signCall } from "@skep/kit/workspace-token.ts";
import { principalKey } from "@skep/server/auth.ts";
import { refuse } from "../store/refusals.ts";
import type { ApiDeps } from "./deps.ts";

/** What a host may be asked through the schedulers: each request names its workspace. */
interface Asked {
  readonly workspaceId: string;
}

type Unary = (request: Asked, options: CallOptions) => Promise<unknown>;
type Streaming = (request: Asked, options: CallOptions) => AsyncIterable<unknown>;

/**
 * Passes the calls of a service on to the host that has the workspace which they name. The host
 * knows nothing of users: it is shown a token of the workspace, made for this one call.
 */
export function passedOn<S extends DescService>(deps: ApiDeps, service: S): ServiceImpl<S> {
  const entries = service.methods.map(method => [method.localName, passOn(deps, service, method)] as const);
  // Each entry is made of the method's own name, and passes its messages on as they are.
  return Object.fromEntries(entries) as unknown as ServiceImpl<S>;
}

function passOn(deps: ApiDeps, service: DescService, { localName, methodKind, name }: DescMethod) {
  async function ready<Call>({ workspaceId }: Asked, context: HandlerContext) {
    const { transport, headers } = await prepare(deps, workspaceId, context);
    const client = createClient(service, transport) as unknown as Readonly<Record<string, Call>>;
    return { call: client[localName]!, options: { headers, signal: context.signal } };
  }
  if (methodKind === "unary") {
    return async (request: Asked, context: HandlerContext): Promise<unknown> => {
      const { call, options } = await ready<Unary>(request, context);
      const timeoutMs = context.timeoutMs() ?? CALL_MS;
      return await call(request, { ...options, timeoutMs }).catch((error: unknown) => {
        throw inWordsOf(request.workspaceId, error);
      });
    };
  }
  if (methodKind !== "server_streaming") throw new Error(`${name} cannot be passed on: its request is a stream.`);
  return async function* (request: Asked, context: HandlerContext): AsyncGenerator<unknown> {
    const { call, options } = await ready<Streaming>(request, context);
    const ended = new AbortController();
    const signal = AbortSignal.any([options.signal, ended.signal]);
    try {
      const mostMs = name.startsWith("Follow") ? FOLLOWED_MS : SILENT_MS;
      yield* heard(deps.clock, call(request, { ...options, signal }), mostMs);
    } catch (error) {
      throw inWordsOf(request.workspaceId, error);
    } finally {
      ended.abort();
    }
  };
}

/** A machine that died ends no connection. A host says every 5 s that it is there. */
const FOLLOWED_MS = 15_000;
/** What a host reads from elsewhere may stall for a minute before it says so. */
const SILENT_MS = 90_000;

/** What a stream brings, until it brings nothing for too long. */
async function* heard<T>(clock: Clock, stream: AsyncIterable<T>, mostMs: number): AsyncGenerator<T> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const answered = new AbortController();
    const silence = clock.sleep(mostMs, answered.signal).then(() => {
      if (!answered.signal.aborted) throw new SkepError("unavailable", "UNAVAILABLE", "The host is silent.");
    });
    silence.catch(() => undefined);
    try {
      const next = await Promise.race([iterator.next(), silence]);
      if (next === undefined || next.done === true) return;
      yield next.value;
    } finally {
      answered.abort();
    }
  }
}

/** A host that has not answered by then is away. */
const CALL_MS = 30_000;

interface Prepared {
  readonly transport: Transport;
  readonly headers: Headers;
}

/** @throws SkepError `not_found` for no workspace, `unavailable` where no host has it. */
async function prepare({ store, clock, dial }: ApiDeps, id: string, context: HandlerContext): Promise<Prepared> {
  const [record, reach] = await Promise.all([store.getWorkspace(id), store.reachWorkspace(id)]);
  if (record === undefined) throw refuse.noWorkspace(id);
  const origin = reach === undefined ? undefined : originOf(reach);
  if (origin === undefined)
    throw away(id, reach === undefined ? record.waiting || "no host has it" : "its host begins, or ends");
  const by = context.values.get(principalKey).name;
  const token = signCall(id, record.connector.access.secret, "data", by, clock.now());
  return { transport: dial(`${origin}${namespaceOf(id)}`), headers: new Headers({ authorization: `Bearer ${token}` }) };
}

/** What a host says is told as it is; that it says nothing is told in words of ours. */
function inWordsOf(id: string, error: unknown): SkepError {
  const told = fromConnectError(error);
  return told.code === "unavailable" && told.reason === "UNAVAILABLE" ? away(id, "its host does not answer") : told;
}

function away(id: string, because: string): SkepError {
  const sentence = `The workspace ${id} cannot be asked at present: ${because}. Try again in a moment.`;
  return new SkepError("unavailable", "WORKSPACE_AWAY", sentence);
}
