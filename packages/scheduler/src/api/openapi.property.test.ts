import fc from "fast-check";
import { openApiJson } from "@skep/api/gen/openapi.ts";
import { SERVICES } from "@skep/api/services.ts";
import { startServer, type ApiServer } from "@skep/server/server.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHandlers } from "./handlers.ts";
import { fits, valuesOf, type Resolve, type Schema } from "./testing/json-schema.ts";
import { createTestPlatform } from "./testing/platform.ts";

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required: boolean;
    readonly content: { readonly "application/json": { readonly schema: Schema } };
  };
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: Schema;
}

const document = JSON.parse(openApiJson) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

const resolve: Resolve = schema =>
  schema.$ref === undefined ? schema : (document.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});

const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({ path, verb: verb.toUpperCase(), ...operation })),
);

/**
 * Refusals that no schema can tell: core's rules about a spec or a connector as a whole, and
 * whether a token or a version is one that the server gave.
 */
const BEYOND_THE_FILE = new Set([
  ...["SPEC_INVALID", "ENTRYPOINT_TWICE", "NAME_FIXED", "IMAGE_MISSING", "BAD_PAGE_TOKEN", "LABELS_INVALID"],
  ...["CONNECTOR_INVALID", "DELETION_UNSAID", "RULE_INVALID", "RESOURCES_UNSAID", "WEBHOOK_INVALID"],
]);

interface Answer {
  readonly status: number;
  readonly body: {
    readonly code?: string;
    readonly message?: string;
    readonly details?: { readonly reason?: string }[];
  };
}

let server: ApiServer;
beforeAll(async () => {
  const { deps } = createTestPlatform();
  server = await startServer({
    port: 0,
    host: "127.0.0.1",
    routes: createHandlers(deps),
    services: SERVICES,
    auth: undefined,
    ready: {},
    limits: { requestsPerSecond: 1_000_000 },
    log: deps.log,
  });
});
afterAll(() => server.close(0));

type One = (typeof operations)[number];
type Request = { readonly parameters: Readonly<Record<string, unknown>>; readonly body: unknown };

function requestsOf({ parameters = [], requestBody }: One): fc.Arbitrary<Request> {
  const each = parameters.map(({ name, schema, in: where }) => {
    const values = valuesOf(schema, resolve);
    // A path of dots is another path, before any server sees it.
    return [name, where === "path" ? values.filter(value => !/^\.{1,2}$/.test(String(value))) : values] as const;
  });
  const requiredKeys = parameters.flatMap(one => (one.required ? [one.name] : []));
  const body =
    requestBody === undefined
      ? fc.constant(undefined)
      : valuesOf(requestBody.content["application/json"].schema, resolve);
  return fc.record({
    parameters: fc.record(Object.fromEntries(each), { requiredKeys: requiredKeys as never[] }),
    body: requestBody?.required === false ? fc.option(body, { nil: undefined }) : body,
  });
}

/** A parameter as it stands in an address. */
const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

async function send({ path, verb, parameters = [] }: One, request: Request): Promise<Answer> {
  let address = path;
  const query = new URLSearchParams();
  for (const { name, in: where } of parameters) {
    const value = request.parameters[name];
    if (where === "path") address = address.replace(`{${name}}`, encodeURIComponent(asText(value)));
    else if (value !== undefined) for (const one of [value].flat()) query.append(name, asText(one));
  }
  const response = await fetch(`http://127.0.0.1:${server.port}${address}?${query.toString()}`, {
    method: verb,
    headers: { "content-type": "application/json" },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

describe("a request that the OpenAPI file calls valid", () => {
  it.each(operations.map(one => [one.operationId, one] as const))("is not refused as invalid: %s", async (_, one) => {
    const told = async (request: Request): Promise<void> => {
      const { status, body } = await send(one, request);
      const reason = body.details?.[0]?.reason ?? "";
      expect(status).toBeLessThan(500);
      expect([404, 405].includes(status) && reason === "" ? body : "served").toBe("served");
      if (body.code === "invalid_argument" && !BEYOND_THE_FILE.has(reason)) expect(body).toBe("accepted");
    };
    await fc.assert(fc.asyncProperty(requestsOf(one), told), { numRuns: 40, seed: 7 });
  });
});

/**
 * Values that break something wherever they fit no schema. Numbers as text and `null` are read
 * kindly, so they are none.
 */
const WRONG: readonly unknown[] = ["", "x".repeat(70_000), "UNHEARD_OF", "/../", -1, 1.5, 2 ** 33, true, [], {}, [{}]];

/** A request's body with one thing in it that the file forbids. */
function brokenBodies({ requestBody }: One): fc.Arbitrary<unknown> {
  const schema = requestBody?.content["application/json"].schema ?? {};
  const broken = fc
    .tuple(valuesOf(schema, resolve), fc.nat(), fc.constantFrom(...WRONG, "gone", "unknown field"))
    .map(([body, at, wrong]) => {
      const copy = structuredClone(body) as Record<string, unknown>;
      const places = [...placesOf(copy)];
      const place = places[at % places.length];
      if (wrong === "unknown field" || place === undefined) return { ...copy, noSuchField: 1 };
      if (wrong === "gone") delete place.holder[place.key as never];
      else place.holder[place.key as never] = structuredClone(wrong) as never;
      return copy;
    });
  return broken.filter(body => !fits(body, schema, resolve));
}

function* placesOf(value: unknown): Iterable<{ readonly holder: object; readonly key: string | number }> {
  if (typeof value !== "object" || value === null) return;
  for (const key of Object.keys(value)) {
    yield { holder: value, key };
    yield* placesOf((value as Record<string, unknown>)[key]);
  }
}

describe("a request that the OpenAPI file calls invalid", () => {
  const withBody = operations.filter(one => one.requestBody !== undefined);

  it.each(withBody.map(one => [one.operationId, one] as const))("is refused: %s", async (_, one) => {
    const requests = fc.tuple(requestsOf(one), brokenBodies(one));
    const refused = async ([request, body]: [Request, unknown]): Promise<void> => {
      const { status, body: answer } = await send(one, { ...request, body });
      expect({ status, code: answer.code }).toEqual({ status: 400, code: "invalid_argument" });
    };
    await fc.assert(fc.asyncProperty(requests, refused), { numRuns: 40, seed: 7 });
  });

  it.each(withBody.filter(one => one.requestBody?.required).map(one => [one.operationId, one] as const))(
    "is refused without the body that it requires: %s",
    async (_, one) => {
      const [request] = fc.sample(requestsOf(one), { numRuns: 1, seed: 7 });
      expect((await send(one, { ...request!, body: undefined })).status).toBe(400);
    },
  );
});
