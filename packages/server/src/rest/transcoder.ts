import { create, fromBinary, toJson } from "@bufbuild/protobuf";
import type { DescService, JsonValue } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { createContextValues } from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { detailToProto } from "@skep/api/codec/error-detail.ts";
import { ErrorDetailSchema } from "@skep/api/gen/skep/v1/error_pb.ts";
import { restBindings } from "@skep/api/rest/bindings.ts";
import type { RestBinding } from "@skep/api/rest/bindings.ts";
import { matchTemplate } from "@skep/api/rest/template.ts";
import { SkepError } from "@skep/core/error.ts";
import { readBody } from "../body.ts";
import { clientKey } from "../client.ts";
import { replyError, replyJson } from "../reply.ts";
import type { HttpRequest, HttpResponse } from "../reply.ts";
import { dropPathFields, parseBody, refuseBody, refuseUnknownFields, setParameter } from "./message-json.ts";
import type { JsonDraft } from "./message-json.ts";

/** Request headers that handlers see. */
const PASSED = ["authorization", "idempotency-key", "connect-timeout-ms", "user-agent", "traceparent", "x-request-id"];

/**
 * Answers a request whose path is one of the REST paths; `undefined` leaves the request to others.
 */
export type Transcoder = (request: HttpRequest, response: HttpResponse, client: string) => Promise<void> | undefined;

/**
 * Serves unary methods at the paths of their google.api.http options. Each call goes through the
 * same handler as a Connect call, so that tokens, rules and limits are the same.
 */
export function createTranscoder(
  services: readonly DescService[],
  handlers: readonly UniversalHandler[],
  maxBytes: number,
): Transcoder {
  const bindings = restBindings(services);
  const byPath = new Map(handlers.map(handler => [handler.requestPath, handler]));
  return (request, response, client) => {
    // What is no URL at all, such as `//`, is no path of ours and no failure of ours either.
    const url = URL.parse(request.url ?? "/", "http://rest");
    if (url === null) return undefined;
    const { pathname, searchParams } = url;
    const found = match(bindings, pathname);
    if (found.length === 0) return undefined;
    const one = found.find(({ binding }) => binding.verb === request.method);
    if (one === undefined) {
      const allow = [...new Set(found.map(({ binding }) => binding.verb))].join(", ");
      replyError(response, 405, "unimplemented", `${pathname} takes ${allow}, not ${request.method}.`, { allow });
      return Promise.resolve();
    }
    const { method } = one.binding;
    const handler = byPath.get(`/${method.parent.typeName}/${method.name}`);
    return handler === undefined
      ? undefined
      : answer(one, { handler, searchParams, request, response, client, maxBytes });
  };
}

interface Match {
  readonly binding: RestBinding;
  readonly variables: ReadonlyMap<string, string>;
}

function match(bindings: readonly RestBinding[], path: string): Match[] {
  const found = bindings.flatMap(binding => {
    try {
      const variables = matchTemplate(binding.template, path);
      return variables === undefined ? [] : [{ binding, variables }];
    } catch {
      return [];
    }
  });
  return found.filter(({ binding }) => binding.template.weight === found[0]?.binding.template.weight);
}

interface Call {
  readonly handler: UniversalHandler;
  readonly searchParams: URLSearchParams;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly client: string;
  readonly maxBytes: number;
}

async function answer({ binding, variables }: Match, call: Call): Promise<void> {
  const { handler, request, response } = call;
  try {
    const body = await readBody(request, call.maxBytes);
    const draft = toMessage(binding, variables, call.searchParams, body.toString("utf8"));
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const result = await handler({
      httpVersion: request.httpVersion,
      method: "POST",
      url: `http://rest${handler.requestPath}`,
      header: headersFor(request),
      body: draft,
      signal: gone.signal,
      contextValues: createContextValues().set(clientKey, call.client),
    });
    for (const [name, value] of result.header ?? []) if (!name.startsWith("content-")) response.setHeader(name, value);
    const value = JSON.parse(await textOf(result.body)) as JsonValue;
    replyJson(response, result.status, result.status === 200 ? value : readableError(value));
  } catch (thrown) {
    if (!(thrown instanceof SkepError)) throw thrown;
    const { code, message } = thrown;
    const detail = toJson(ErrorDetailSchema, create(ErrorDetailSchema, detailToProto(thrown))) as JsonDraft;
    const details = [{ "@type": ErrorDetailSchema.typeName, ...detail }];
    replyJson(response, code === "resource_exhausted" ? 413 : 400, { code, message, details });
  }
}

function toMessage(
  { method, body }: RestBinding,
  variables: ReadonlyMap<string, string>,
  query: URLSearchParams,
  text: string,
): JsonDraft {
  if (body === undefined) refuseBody(text);
  const draft = body === undefined ? {} : parseBody(text, method.input, body);
  if (body !== undefined) refuseUnknownFields(draft, method.input);
  if (body !== undefined) dropPathFields(draft, method.input, variables);
  for (const [name, value] of variables) setParameter(draft, method.input, name, [value]);
  for (const name of new Set(query.keys())) setParameter(draft, method.input, name, query.getAll(name));
  return draft;
}

function headersFor(request: HttpRequest): Headers {
  const headers = new Headers({ "content-type": "application/json" });
  for (const name of PASSED) {
    const value = request.headers[name];
    if (typeof value === "string") headers.set(name, value);
  }
  return headers;
}

async function textOf(body: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** A Connect error with its details as plain JSON instead of encoded bytes. */
function readableError(error: JsonValue): JsonValue {
  if (typeof error !== "object" || error === null || Array.isArray(error) || !Array.isArray(error["details"]))
    return error;
  const details = error["details"].map(detail => {
    if (typeof detail !== "object" || detail === null || Array.isArray(detail)) return detail;
    if (detail["type"] !== ErrorDetailSchema.typeName || typeof detail["value"] !== "string") return detail;
    const message = fromBinary(ErrorDetailSchema, base64Decode(detail["value"]));
    return { "@type": ErrorDetailSchema.typeName, ...(toJson(ErrorDetailSchema, message) as JsonDraft) };
  });
  return { ...error, details };
}
