import { Code, ConnectError } from "@connectrpc/connect";
import type { StreamResponse, Transport } from "@connectrpc/connect";
import type { DescMessage, DescMethod } from "@bufbuild/protobuf";
import { toConnectError } from "@skep/api/codec/error.ts";
import { ErrorDetailSchema } from "@skep/api/gen/skep/v1/error_pb.ts";
import { permissionOf } from "@skep/api/permissions.ts";
import { SkepError } from "@skep/core/error.ts";

/** One server of a platform, and the way to it. */
export interface Server {
  readonly url: string;
  readonly transport: Transport;
}

/**
 * The servers of a text such as `http://a:7700,http://b:7700`, without the blanks around them.
 * @throws SkepError `invalid_argument` `BAD_URL` where there is none.
 */
export function readServers(text: string): [string, ...string[]] {
  const [first, ...others] = text.split(",").flatMap(part => (part.trim() === "" ? [] : [part.trim()]));
  if (first !== undefined) return [first, ...others];
  throw new SkepError("invalid_argument", "BAD_URL", "No server is named: give an address such as http://host:7700.");
}

/** Why the request of a call was not answered by a server. */
type Miss = "not reached" | "lost" | "late";

/**
 * One way to several servers of a platform. A call that cannot reach a server goes on with the next
 * one. One that was perhaps accepted goes on only if a repetition changes nothing: it reads, or it
 * has an idempotency key. The server that answered is asked first from then on.
 */
export function failover(servers: readonly Server[]): Transport {
  const [only] = servers;
  if (only !== undefined && servers.length === 1) return only.transport;
  let preferred = 0;
  /** The next one is asked first from now on, unless another call found that out already. */
  const pass = (index: number): void => {
    if (preferred === index) preferred = (index + 1) % servers.length;
  };

  async function attempt<T>(
    isRepeatable: boolean,
    signal: AbortSignal | undefined,
    call: (transport: Transport) => Promise<T>,
  ): Promise<T> {
    const first = preferred;
    const tried: string[] = [];
    let last: unknown;
    for (let step = 0; step < servers.length; step++) {
      const index = (first + step) % servers.length;
      const { url, transport } = servers[index]!;
      try {
        return await call(transport);
      } catch (error) {
        const miss = signal?.aborted === true ? undefined : missOf(error);
        if (miss === undefined) throw error;
        pass(index);
        if (miss === "late" || (miss === "lost" && !isRepeatable)) throw error;
        tried.push(`${url} (${ConnectError.from(error).rawMessage})`);
        last = error;
      }
    }
    throw nobodyAnswered(tried, last);
  }

  return {
    unary: (method, signal, timeoutMs, header, input, contextValues) =>
      attempt(isRepeatable(method, input, header), signal, transport =>
        transport.unary(method, signal, timeoutMs, header, input, contextValues),
      ),
    stream: async (method, signal, timeoutMs, header, input, contextValues) => {
      const again = await repeated(method, input);
      return await attempt(isRepeatable(method, {}, header), signal, async transport => {
        const answer = await transport.stream(method, signal, timeoutMs, header, again(), contextValues);
        return await begun(answer);
      });
    },
  };
}

/**
 * A request that every server can be sent: one message can be sent again, a stream of them cannot.
 */
async function repeated<T>(method: DescMethod, input: AsyncIterable<T>): Promise<() => AsyncIterable<T>> {
  if (method.methodKind !== "server_streaming") return () => input;
  const messages: T[] = [];
  for await (const message of input) messages.push(message);
  return async function* () {
    yield* messages;
  };
}

/** Waits for the first message, so that a stream that fails at once is opened elsewhere. */
async function begun<I extends DescMessage, O extends DescMessage>(
  answer: StreamResponse<I, O>,
): Promise<StreamResponse<I, O>> {
  const messages = answer.message[Symbol.asyncIterator]();
  const first = await messages.next();
  async function* all(): AsyncIterable<Awaited<typeof first.value>> {
    for (let next = first; next.done !== true; next = await messages.next()) yield next.value;
  }
  return { ...answer, message: all() };
}

function isRepeatable(method: DescMethod, input: object, header: unknown): boolean {
  if (permissionOf(method)?.endsWith(".read") === true) return true;
  // Servers heed a key only for a single message that has a field for it.
  if (method.methodKind !== "unary" || method.input.fields.every(field => field.localName !== "idempotencyKey"))
    return false;
  if (header !== undefined && new Headers(header as Record<string, string>).get("idempotency-key")) return true;
  const key = (input as { readonly idempotencyKey?: unknown }).idempotencyKey;
  return typeof key === "string" && key !== "";
}

/** Failures before anything was sent. */
const NOT_REACHED = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENOTFOUND", "EAI_AGAIN"]);

/** What kept a server from answering; `undefined` where it did answer. */
function missOf(thrown: unknown): Miss | undefined {
  if (isNotReached(thrown)) return "not reached";
  const error = ConnectError.from(thrown);
  switch (error.code) {
    case Code.Unavailable:
      return "lost";
    // Connect calls a broken connection aborted or cancelled. Ours, a stale version, has a detail.
    case Code.Aborted:
    case Code.Canceled:
      return error.findDetails(ErrorDetailSchema).length > 0 ? undefined : "lost";
    case Code.DeadlineExceeded:
      return "late";
    case Code.Internal:
      return isBroken(thrown) ? "lost" : undefined;
    default:
      return undefined;
  }
}

function isNotReached(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as { readonly code?: unknown; readonly syscall?: unknown };
  if (typeof code === "string" && (NOT_REACHED.has(code) || (code === "ETIMEDOUT" && syscall === "connect")))
    return true;
  // With this word a server of HTTP/2 promises that it has not looked at the request.
  if (thrown.message.includes("REFUSED_STREAM")) return true;
  return isNotReached(thrown.cause);
}

/** Whether Node says of an error that the connection broke. */
function isBroken(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code } = thrown as { readonly code?: unknown };
  return (typeof code === "string" && /^(E|ERR_)[A-Z0-9_]+$/.test(code)) || isBroken(thrown.cause);
}

function nobodyAnswered(tried: readonly string[], cause: unknown): ConnectError {
  const sentence = `No server of the platform answers. Tried were ${tried.join(", ")}.`;
  return toConnectError(new SkepError("unavailable", "NO_SERVER_ANSWERS", sentence, { cause }));
}
