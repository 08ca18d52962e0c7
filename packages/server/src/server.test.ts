import { request as httpRequest } from "node:http";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { fromConnectError } from "@skep/api/codec/error.ts";
import { PlatformService } from "@skep/api/gen/skep/v1/platform_service_pb.ts";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import type { SkepError } from "@skep/core/error.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestServer, TOKEN, withToken } from "./testing/test-server.ts";
import type { TestServer } from "./testing/test-server.ts";

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(async () => await test[Symbol.asyncDispose]());

describe("one port", () => {
  it("answers Connect with JSON over HTTP/1.1, as curl sends it", async () => {
    const { status, body } = await test.send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: JSON.stringify({ tenantId: "acme", quota: { memoryBytes: "1024" } }),
    });
    expect({ status, body }).toEqual({ status: 200, body: { tenant: { id: "acme", quota: { memoryBytes: "1024" } } } });
  });

  it.each<[string, () => Transport]>([
    [
      "Connect over HTTP/1.1",
      () => createConnectTransport({ baseUrl: test.url, httpVersion: "1.1", interceptors: withToken() }),
    ],
    [
      "Connect over HTTP/2",
      () => createConnectTransport({ baseUrl: test.url, httpVersion: "2", interceptors: withToken() }),
    ],
    ["gRPC over HTTP/2", () => createGrpcTransport({ baseUrl: test.url, interceptors: withToken() })],
    [
      "gRPC-Web over HTTP/1.1",
      () => createGrpcWebTransport({ baseUrl: test.url, httpVersion: "1.1", interceptors: withToken() }),
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
    const page = await fetch(`${test.url}/page`);
    expect(await page.text()).toBe("a page");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("content-security-policy")).toBe("default-src 'self'");
    const { status, body, headers } = await test.send("/nothing/here");
    expect({ status, code: body["code"] }).toEqual({ status: 404, code: "not_found" });
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  it("lets only the listed origins use it from a browser", async () => {
    const preflight = async (origin: string): Promise<[number, string | null]> => {
      const response = await fetch(`${test.url}/skep.v1.TenantService/CreateTenant`, {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
      return [response.status, response.headers.get("access-control-allow-origin")];
    };
    expect(await preflight("https://console.example")).toEqual([204, "https://console.example"]);
    expect(await preflight("https://evil.example")).toEqual([403, null]);
  });
});

describe("REST", () => {
  it("maps GET with query, GET with a path variable, POST and DELETE", async () => {
    expect((await test.send("/api/v1/tenants?page_size=7&pageToken=next")).body).toEqual({
      tenants: [{ id: "size-7" }],
      nextPageToken: "next",
    });
    expect((await test.send("/api/v1/tenants/acme%2Done")).body).toEqual({ tenant: { id: "acme-one" } });
    const created = await test.send("/api/v1/tenants", { method: "POST", body: JSON.stringify({ tenant_id: "rest" }) });
    expect(created).toMatchObject({ status: 200, body: { tenant: { id: "rest" } } });
    expect(await test.send("/api/v1/tenants/acme", { method: "DELETE" })).toMatchObject({ status: 200, body: {} });
  });

  it("answers every field, also one that is empty, and so does Connect's JSON", async () => {
    const wanted = { tenants: [{ id: "size-7" }], nextPageToken: "" };
    expect((await test.send("/api/v1/tenants?page_size=7")).body).toEqual(wanted);
    const init = { method: "POST", body: '{"pageSize":7}' };
    expect((await test.send("/skep.v1.TenantService/ListTenants", init)).body).toEqual(wanted);
  });

  it("answers errors with their HTTP status and readable details", async () => {
    const { status, body } = await test.send("/api/v1/tenants", {
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
    [
      "a parameter that stands in the body too",
      "/api/v1/tenants?tenant_id=b",
      { method: "POST", body: '{"tenantId":"a"}' },
      400,
      /says "tenant_id" twice/,
    ],
    ["a parameter in both spellings", "/api/v1/tenants?page_size=1&pageSize=2", {}, 400, /twice/],
    ["a parameter that the path says", "/api/v1/tenants/acme?tenant_id=b", {}, 400, /says "tenant_id" twice/],
    [
      "a body that nobody would read",
      "/api/v1/tenants/acme",
      { method: "DELETE", body: '{"idempotency_key":"k"}' },
      400,
      /takes no body/,
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
    const answer = await test.send(path, init);
    expect(answer.status).toBe(status);
    expect(answer.body["message"]).toMatch(sentence);
  });
});

describe("what goes wrong", () => {
  it("lists every broken rule as an issue", async () => {
    const tenants = createClient(
      TenantService,
      createConnectTransport({ baseUrl: test.url, httpVersion: "2", interceptors: withToken() }),
    );
    const error = await tenants
      .createTenant({ tenantId: "NO", idempotencyKey: "k".repeat(200) })
      .catch(fromConnectError);
    expect(error).toMatchObject({ code: "invalid_argument", reason: "INVALID_REQUEST" });
    expect((error as SkepError).issues.map(issue => issue.path)).toEqual(["tenant_id", "idempotency_key"]);
  });

  it("withholds what a defect says, gives an id, and logs both", async () => {
    const { status, body } = await test.send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: '{"tenantId":"broken"}',
    });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    const id = /id ([0-9a-f-]{36})/.exec(String(body["message"]))?.[1];
    expect(test.log.lines.map(line => line.fields["id"])).toContain(id);
  });

  it.each(["/skep.v1.TenantService/CreateTenant", "/api/v1/tenants"])("refuses a body of 10 MB at %s", async path => {
    const body = JSON.stringify({ tenant_id: "x".repeat(10_000_000) });
    const answer = await test.send(path, { method: "POST", body });
    expect(answer).toMatchObject({
      status: 413,
      body: { code: "resource_exhausted", message: expect.stringContaining("2097152 bytes") },
    });
  });

  it("refuses a body of 10 MB that does not announce its length, and before it is sent where the client asks first", async () => {
    const chunked = async (headers: Record<string, string>): Promise<number | undefined> =>
      await new Promise((resolve, reject) => {
        const request = httpRequest(`${test.url}/api/v1/tenants`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${TOKEN}`, ...headers },
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
    const tenants = createClient(TenantService, createGrpcTransport({ baseUrl: test.url, interceptors: withToken() }));
    const error = await tenants.createTenant({ tenantId: "x".repeat(10_000_000) }).catch(fromConnectError);
    expect(error).toMatchObject({ code: "resource_exhausted" });
  });
});
