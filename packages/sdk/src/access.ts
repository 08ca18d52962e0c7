import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { fromCodeAndDetail } from "@skep/api/codec/error-detail.ts";
import { ErrorDetailSchema } from "@skep/api/gen/skep/v1/error_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { readServers } from "./failover.ts";

/** One call: a path of the API, and what it is sent. */
export interface AccessRequest {
  /** A path such as `/containers/fleet/status`. */
  readonly url: string;
  /** GET where it is absent. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  /** What stands behind the `?`; what is `undefined` is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** The REST paths of the platform. */
export interface Access {
  /**
   * Answers the JSON of the response. @throws SkepError with code, reason and issues of the
   * platform; `unavailable` where no server answers.
   */
  request<T = unknown>(request: AccessRequest): Promise<T>;
}

/** What is used of `fetch`. */
export type Fetch = (
  address: string,
  options: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    readonly signal: AbortSignal;
  },
) => Promise<{ readonly ok: boolean; readonly status: number; text(): Promise<string> }>;

/** Where the platform is, and the token for it. */
export interface AccessOptions {
  /**
   * For example `http://127.0.0.1:7700`; several servers of one platform are separated by commas.
   */
  readonly url: string;
  readonly token?: string | (() => string | Promise<string>);
  /** Longest that a call may take; 30 s by default. */
  readonly timeoutMs?: number;
  /** The platform's own `fetch` where it is absent. */
  readonly fetch?: Fetch;
}

const TIMEOUT_MS = 30_000;

/**
 * Makes the calls of REST paths as one function, for Node and for browsers. Nothing is sent before
 * the first call. A call goes on with the next server where one cannot be reached, unless it
 * changes something and has no `idempotencyKey`: the first one may have done it.
 * @throws SkepError `invalid_argument` where `url` names no server.
 */
export function createAccess(options: AccessOptions): Access {
  const servers = readServers(options.url).map(one => one.replace(/\/+$/, ""));
  return {
    request: async <T>(request: AccessRequest): Promise<T> => {
      const path = pathOf(request);
      const tried: string[] = [];
      let last: unknown;
      for (const server of servers) {
        try {
          return (await send(server + path, request, options)) as T;
        } catch (error) {
          if (error instanceof SkepError && (error.code !== "unavailable" || servers.length === 1)) throw error;
          tried.push(`${server} (${error instanceof Error ? error.message : String(error)})`);
          last = error;
          if (!isRepeatable(request)) break;
        }
      }
      const sentence = `No server of the platform answers ${path}. Tried were ${tried.join(", ")}.`;
      throw new SkepError("unavailable", "NO_SERVER_ANSWERS", sentence, { cause: last });
    },
  };
}

/** @throws SkepError `invalid_argument` for what would lead the token to another server. */
function pathOf({ url, query = {} }: AccessRequest): string {
  if (!/^\/(?![/\\])/.test(url))
    throw new SkepError(
      "invalid_argument",
      "BAD_PATH",
      `"${url.slice(0, 100)}" is no path of the platform: begin it with one slash, such as /containers/fleet/status.`,
    );
  const said = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`],
  );
  if (said.length === 0) return url;
  return `${url}${url.includes("?") ? "&" : "?"}${said.join("&")}`;
}

async function send(
  address: string,
  { method = "GET", body }: AccessRequest,
  options: AccessOptions,
): Promise<unknown> {
  const { token, timeoutMs = TIMEOUT_MS } = options;
  const value = typeof token === "function" ? await token() : token;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    const response = await (options.fetch ?? fetch)(address, {
      method,
      headers: {
        ...(value === undefined ? {} : { authorization: `Bearer ${value}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: late.signal,
    });
    const answer = parse(await response.text(), response.status);
    if (response.ok) return answer;
    throw errorOf(answer, response.status);
  } catch (error) {
    if (!late.signal.aborted || error instanceof SkepError) throw error;
    const sentence = `${address} has not answered within ${timeoutMs} ms; what it was asked for may have happened.`;
    throw new SkepError("deadline_exceeded", "DEADLINE_EXCEEDED", sentence, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function parse(text: string, status: number): JsonValue {
  try {
    return text === "" ? {} : (JSON.parse(text) as JsonValue);
  } catch (error) {
    const sentence = `The answer (status ${status}) is no JSON: something else than the platform answers there.`;
    throw new SkepError("internal", "BAD_ANSWER", sentence, { cause: error });
  }
}

/** A refusal as the platform says it: its code and its sentence, and the reason with all issues. */
function errorOf(answer: JsonValue, status: number): SkepError {
  const { code, message, details } = isObject(answer) ? answer : {};
  const sentence = typeof message === "string" ? message : `The platform answered with status ${status}.`;
  const word = typeof code === "string" ? code : "internal";
  const [first] = Array.isArray(details) ? details : [];
  const detail = isObject(first)
    ? fromJson(ErrorDetailSchema, { ...first }, { ignoreUnknownFields: true })
    : create(ErrorDetailSchema, { reason: word.toUpperCase() });
  return fromCodeAndDetail(word, sentence, detail);
}

function isRepeatable({ method = "GET", body }: AccessRequest): boolean {
  if (method === "GET") return true;
  const key = isObject(body) ? (body["idempotencyKey"] ?? body["idempotency_key"]) : undefined;
  return typeof key === "string" && key !== "";
}

function isObject(value: unknown): value is { readonly [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
