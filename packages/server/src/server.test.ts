import { request as httpRequest } from "node:http";
import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { HealthCheckResponse_ServingStatus as Status, Health } from "@skep/api/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@skep/api/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@skep/api/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { SERVICES } from "@skep/api/services.ts";
import { SkepError } from "@skep/core/error.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { actorKey, knowTokens } from "./auth.ts";
import { startServer } from "./server.ts";
import type { ApiServer } from "./server.ts";

const TOKEN = "a-token-for-tests";
const log = createRecordingLog();
const seen: { key: string; actor: string }[] = [];
let isReady = true;
let server: ApiServer;
let url: string;

beforeAll(async () => {
  server = await startServer({
    port: 0,
    host: "127.0.0.1",
    services: SERVICES,
    auth: { authenticate: knowTokens(new Map([[TOKEN, "ops"]])), open: true },
    ready: { store: () => (isReady ? undefined : "the store is away") },
    origins: ["https://console.example"],
    openApi: "{}",
    log,
    pages: [
      (request, response) => {
        if (request.url !== "/page") return false;
        response.end("a page");
        return true;
      },
    ],
    routes: router => {
      router.service(TenantService, {
        createTenant: (request, context) => {
          seen.push({ key: request.idempotencyKey, actor: context.values.get(actorKey) });
          if (request.tenantId === "taken")
            throw new SkepError("already_exists", "TENANT_EXISTS", "There is a tenant taken already.", {
              details: { tenant: "taken", advice: "choose another name" },
            });
          if (request.tenantId === "broken") throw new TypeError("the password is hunter2");
          return { tenant: { id: request.tenantId, ...(request.quota ? { quota: request.quota } : {}) } };
        },
        getTenant: ({ tenantId }) => ({ tenant: { id: tenantId } }),
        listTenants: ({ pageSize, pageToken }) => ({ tenants: [{ id: `size-${pageSize}` }], nextPageToken: pageToken }),
        deleteTenant: () => ({}),
      });
      router.service(PlatformService, {
        async *watchEvents(_, context) {
          yield { events: [{ kind: "first" }] };
          yield { events: [{ kind: "second" }] };
          await new Promise(resolve => context.signal.addEventListener("abort", resolve));
          throw new SkepError("unavailable", "GOING", "This scheduler is going away.");
        },
      });
    },
  });
  url = `http://127.0.0.1:${server.port}`;
});

afterAll(async () => await server.close(1_000));

const authorized = { authorization: `Bearer ${TOKEN}` };

async function send(
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(`${url}${path}`, {
    ...init,
    headers: { "content-type": "application/json", ...authorized, ...(init.headers as Record<string, string>) },
  });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  };
}

const withToken: Parameters<typeof createConnectTransport>[0]["interceptors"] = [
  next => async request => {
    request.header.set("authorization", `Bearer ${TOKEN}`);
    return await next(request);
  },
];

describe("one port", () => {
  it("answers Connect with JSON over HTTP/1.1, as curl sends it", async () => {
    const { status, body } = await send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: JSON.stringify({ tenantId: "acme", quota: { memoryBytes: "1024" } }),
    });
    expect({ status, body }).toEqual({ status: 200, body: { tenant: { id: "acme", quota: { memoryBytes: "1024" } } } });
  });

  it.each<[string, () => Transport]>([
    [
      "Connect over HTTP/1.1",
      () => createConnectTransport({ baseUrl: url, httpVersion: "1.1", interceptors: withToken! }),
    ],
    ["Connect over HTTP/2", () => createConnectTransport({ baseUrl: url, httpVersion: "2", interceptors: withToken! })],
    ["gRPC over HTTP/2", () => createGrpcTransport({ baseUrl: url, interceptors: withToken! })],
    [
      "gRPC-Web over HTTP/1.1",
      () => createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1", interceptors: withToken! }),
    ],
  ])("answers %s, with errors that keep their details, and streams", async (_, transport) => {
    const tenants = createClient(TenantService, transport());
    expect((await tenants.getTenant({ tenantId: "acme" })).tenant?.id).toBe("acme");
    const refused = await tenants.createTenant({ tenantId: "taken" }).catch(fromConnectError);
    expect(refused).toMatchObject({
      code: "already_exists",
      reason: "TENANT_EXISTS",
      message: "There is a tenant taken already.",
      details: { tenant: "taken", advice: "choose another name" },
    });
    const kinds: string[] = [];
    const stop = new AbortController();
    const stream = createClient(PlatformService, transport()).watchEvents({}, { signal: stop.signal });
    const failure = await (async () => {
      for await (const { events } of stream) {
        kinds.push(...events.map(event => event.kind));
        if (kinds.length === 2) stop.abort();
      }
    })().catch((error: unknown) => ConnectError.from(error).code);
    expect({ kinds, failure }).toEqual({ kinds: ["first", "second"], failure: Code.Canceled });
  });

  it("shows pages, answers unknown paths with a sentence, and sets the security headers on all of them", async () => {
    const page = await fetch(`${url}/page`);
    expect(await page.text()).toBe("a page");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    const { status, body, headers } = await send("/nothing/here");
    expect({ status, code: body["code"] }).toEqual({ status: 404, code: "not_found" });
    expect(headers.get("x-frame-options")).toBe("DENY");
  });

  it("lets only the listed origins use it from a browser", async () => {
    const preflight = async (origin: string): Promise<[number, string | null]> => {
      const response = await fetch(`${url}/skep.v1.TenantService/CreateTenant`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
      return [response.status, response.headers.get("access-control-allow-origin")];
    };
    expect(await preflight("https://console.example")).toEqual([204, "https://console.example"]);
    expect(await preflight("https://evil.example")).toEqual([403, null]);
  });
});

describe("who may ask", () => {
  it.each([
    ["no token", {}, /has no token/],
    ["a wrong token", { authorization: "Bearer nobody" }, /not known here/],
    ["another scheme", { authorization: "Basic b3Bz" }, /has no token/],
  ])("refuses %s on Connect and on REST", async (_, headers, sentence) => {
    for (const path of ["/skep.v1.TenantService/ListTenants", "/api/v1/tenants"]) {
      const init = path.startsWith("/api") ? { method: "GET" } : { method: "POST", body: "{}" };
      const response = await fetch(`${url}${path}`, {
        ...init,
        headers: { "content-type": "application/json", ...headers },
      });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        code: "unauthenticated",
        message: expect.stringMatching(sentence),
      });
    }
  });

  it("tells handlers who asks and under which idempotency key, from the header or the field", async () => {
    seen.length = 0;
    const body = JSON.stringify({ tenant_id: "keyed" });
    await send("/api/v1/tenants", { method: "POST", body, headers: { "Idempotency-Key": "k-1" } });
    await send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: JSON.stringify({ tenantId: "keyed", idempotencyKey: "k-2" }),
    });
    expect(seen).toEqual([
      { key: "k-1", actor: "ops" },
      { key: "k-2", actor: "ops" },
    ]);
    const differing = await send("/api/v1/tenants", {
      method: "POST",
      body: JSON.stringify({ tenant_id: "keyed", idempotency_key: "k-2" }),
      headers: { "Idempotency-Key": "k-1" },
    });
    expect(differing.status).toBe(400);
  });
});

describe("REST", () => {
  it("maps GET with query, GET with a path variable, POST and DELETE", async () => {
    expect((await send("/api/v1/tenants?page_size=7&pageToken=next")).body).toEqual({
      tenants: [{ id: "size-7" }],
      nextPageToken: "next",
    });
    expect((await send("/api/v1/tenants/acme%2Done")).body).toEqual({ tenant: { id: "acme-one" } });
    const created = await send("/api/v1/tenants", { method: "POST", body: JSON.stringify({ tenant_id: "rest" }) });
    expect(created).toMatchObject({ status: 200, body: { tenant: { id: "rest" } } });
    expect(await send("/api/v1/tenants/acme", { method: "DELETE" })).toMatchObject({ status: 200, body: {} });
  });

  it("answers every field, also one that is empty, and so does Connect's JSON", async () => {
    const wanted = { tenants: [{ id: "size-7" }], nextPageToken: "" };
    expect((await send("/api/v1/tenants?page_size=7")).body).toEqual(wanted);
    const init = { method: "POST", body: '{"pageSize":7}' };
    expect((await send("/skep.v1.TenantService/ListTenants", init)).body).toEqual(wanted);
  });

  it("answers errors with their HTTP status and readable details", async () => {
    const { status, body } = await send("/api/v1/tenants", {
      method: "POST",
      body: JSON.stringify({ tenant_id: "taken" }),
    });
    expect({ status, body }).toEqual({
      status: 409,
      body: {
        code: "already_exists",
        message: "There is a tenant taken already.",
        details: [
          {
            "@type": "skep.v1.ErrorDetail",
            reason: "TENANT_EXISTS",
            advice: "choose another name",
            metadata: { tenant: "taken" },
          },
        ],
      },
    });
  });

  it.each([
    [
      "a method that the path does not take",
      "/api/v1/tenants",
      { method: "PUT", body: "{}" },
      405,
      /takes GET, POST|takes POST, GET/,
    ],
    [
      "a query parameter that does not exist",
      "/api/v1/tenants?colour=red",
      {},
      400,
      /no parameter "colour"; this path takes: page_size/,
    ],
    ["a body that is not JSON", "/api/v1/tenants", { method: "POST", body: "{tenant" }, 400, /not JSON/],
    ["a body that is a list", "/api/v1/tenants", { method: "POST", body: "[]" }, 400, /must be a JSON object/],
    [
      "a field that does not exist",
      "/api/v1/tenants",
      { method: "POST", body: '{"tenant_idd":"x"}' },
      400,
      /tenant_idd/,
    ],
    [
      "a name with ../",
      "/api/v1/tenants",
      { method: "POST", body: '{"tenant_id":"../etc"}' },
      400,
      /tenant_id: must be 1 to 40 lower-case/,
    ],
    [
      "a method that is not implemented",
      "/api/v1/tenants/acme",
      { method: "PATCH", body: '{"quota":{}}' },
      501,
      /not implemented/,
    ],
  ])("refuses %s", async (_, path, init, status, sentence) => {
    const answer = await send(path, init);
    expect(answer.status).toBe(status);
    expect(answer.body["message"]).toMatch(sentence);
  });
});

describe("what goes wrong", () => {
  it("lists every broken rule as an issue", async () => {
    const tenants = createClient(
      TenantService,
      createConnectTransport({ baseUrl: url, httpVersion: "2", interceptors: withToken! }),
    );
    const error = await tenants
      .createTenant({ tenantId: "NO", idempotencyKey: "k".repeat(200) })
      .catch(fromConnectError);
    expect(error).toMatchObject({ code: "invalid_argument", reason: "INVALID_REQUEST" });
    expect((error as SkepError).issues.map(issue => issue.path)).toEqual(["tenant_id", "idempotency_key"]);
  });

  it("withholds what a defect says, gives an id, and logs both", async () => {
    const { status, body } = await send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: '{"tenantId":"broken"}',
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    const id = /id ([0-9a-f-]{36})/.exec(String(body["message"]))?.[1];
    expect(log.lines.map(line => line.fields["id"])).toContain(id);
  });

  it.each(["/skep.v1.TenantService/CreateTenant", "/api/v1/tenants"])("refuses a body of 10 MB at %s", async path => {
    const body = JSON.stringify({ tenant_id: "x".repeat(10_000_000) });
    const answer = await send(path, { method: "POST", body });
    expect(answer).toMatchObject({
      status: 413,
      body: { code: "resource_exhausted", message: expect.stringContaining("2097152 bytes") },
    });
  });

  it("refuses a body of 10 MB that does not announce its length, and before it is sent where the client asks first", async () => {
    const chunked = async (headers: Record<string, string>): Promise<number | undefined> =>
      await new Promise((resolve, reject) => {
        const request = httpRequest(`${url}/api/v1/tenants`, {
          method: "POST",
          headers: { "content-type": "application/json", ...authorized, ...headers },
        });
        request.once("response", response => {
          response.resume();
          resolve(response.statusCode);
          request.destroy();
        });
        request.once("error", reject);
        if (headers["expect"] === undefined) {
          for (let sent = 0; sent < 10; sent++) request.write(Buffer.alloc(1_000_000, 32));
          request.end();
        } else request.flushHeaders();
      });
    expect(await chunked({})).toBe(413);
    expect(await chunked({ "content-length": "10000000", expect: "100-continue" })).toBe(413);
  });

  it("refuses a gRPC message of 10 MB in gRPC's own words", async () => {
    const tenants = createClient(TenantService, createGrpcTransport({ baseUrl: url, interceptors: withToken! }));
    const error = await tenants.createTenant({ tenantId: "x".repeat(10_000_000) }).catch(fromConnectError);
    expect(error).toMatchObject({ code: "resource_exhausted" });
  });
});

describe("gRPC health and reflection", () => {
  it("says SERVING while the store answers, NOT_SERVING while not, without a token", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: url }));
    expect((await health.check({})).status).toBe(Status.SERVING);
    expect((await health.check({ service: "skep.v1.NodeService" })).status).toBe(Status.SERVING);
    await expect(health.check({ service: "skep.v1.Nothing" })).rejects.toMatchObject({ code: Code.NotFound });
    const statuses: Status[] = [];
    for await (const { status } of health.watch({})) {
      statuses.push(status);
      isReady = statuses.length % 2 === 0;
      if (statuses.length === 3) break;
    }
    isReady = true;
    expect(statuses).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
  });

  it.each([
    ["v1", ServerReflection],
    ["v1alpha", ServerReflectionAlpha],
  ] as const)("lists the services and hands out files that compile, %s", async (_, service) => {
    const reflection = createClient(service as typeof ServerReflection, createGrpcTransport({ baseUrl: url }));
    async function* questions(): AsyncIterable<{
      messageRequest: { case: "listServices" | "fileContainingSymbol" | "fileByFilename"; value: string };
    }> {
      yield { messageRequest: { case: "listServices", value: "" } };
      yield { messageRequest: { case: "fileContainingSymbol", value: "skep.v1.DeploymentService.CreateDeployment" } };
      yield { messageRequest: { case: "fileByFilename", value: "no/such.proto" } };
      yield { messageRequest: { case: "fileContainingSymbol", value: "skep.v1.ErrorDetail" } };
    }
    const answers = [];
    for await (const reply of reflection.serverReflectionInfo(questions())) answers.push(reply.messageResponse);
    const [list, file, missing, detail] = answers;
    if (list?.case !== "listServicesResponse" || file?.case !== "fileDescriptorResponse")
      throw new Error("wrong answers");
    expect(list.value.service.map(one => one.name)).toEqual(
      expect.arrayContaining(["grpc.health.v1.Health", "skep.v1.DeploymentService", "skep.v1.TenantService"]),
    );
    const files = file.value.fileDescriptorProto.map(bytes => fromBinary(FileDescriptorProtoSchema, bytes));
    const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: files.toReversed() }));
    expect(registry.getService("skep.v1.DeploymentService")?.methods.length).toBe(13);
    expect([missing?.case, detail?.case]).toEqual(["errorResponse", "fileDescriptorResponse"]);
  });
});
