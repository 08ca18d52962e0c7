import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { TenantService } from "@skep/api/gen/skep/v1/tenant_service_pb.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { permissionOf } from "@skep/api/permissions.ts";
import { anOperator, PLATFORM } from "@skep/core/access/principal.ts";
import { knowTokens } from "./auth.ts";
import { READER, startTestServer, TOKEN, withToken } from "./testing/test-server.ts";
import type { TestServer } from "./testing/test-server.ts";

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(async () => await test[Symbol.asyncDispose]());

describe("who may ask", () => {
  it.each([
    ["no token", {}, /has no token/],
    ["a wrong token", { authorization: "Bearer nobody" }, /not known here/],
    ["another scheme", { authorization: "Basic b3Bz" }, /has no token/],
  ])("refuses %s on Connect and on REST", async (_, headers, sentence) => {
    for (const path of ["/skep.v1.TenantService/ListTenants", "/api/v1/tenants"]) {
      const init = path.startsWith("/api") ? { method: "GET" } : { method: "POST", body: "{}" };
      const response = await fetch(`${test.url}${path}`, {
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

  it.each<[string, string, RequestInit, string]>([
    [
      "Connect",
      "/skep.v1.TenantService/CreateTenant",
      { method: "POST", body: '{"tenantId":"acme"}' },
      "PERMISSION_MISSING",
    ],
    ["REST", "/api/v1/tenants/acme", { method: "DELETE" }, "PERMISSION_MISSING"],
    ["a stream", "/skep.v1.PlatformService/WatchEvents", { method: "POST", body: "{}" }, "PERMISSION_MISSING"],
    ["a method that no table lists", "/api/v1/status", { method: "GET" }, "METHOD_UNLISTED"],
  ])("refuses what the principal may not do: %s", async (what, path, init, reason) => {
    const type = what === "a stream" ? "application/connect+json" : "application/json";
    const envelope = Buffer.from([0, 0, 0, 0, 2, 0x7b, 0x7d]);
    const response = await fetch(`${test.url}${path}`, {
      ...init,
      ...(what === "a stream" ? { body: envelope } : {}),
      headers: { "content-type": type, authorization: `Bearer ${reason === "METHOD_UNLISTED" ? TOKEN : READER}` },
    });
    const text = await response.text();
    expect(text).toContain("permission_denied");
    if (path.startsWith("/api")) expect([response.status, text]).toEqual([403, expect.stringContaining(reason)]);
  });

  it("refuses on gRPC too what the principal may not do, and lets it do what it may", async () => {
    const interceptors = withToken(READER);
    const tenants = createClient(TenantService, createGrpcTransport({ baseUrl: test.url, interceptors }));
    expect((await tenants.getTenant({ tenantId: "acme" })).tenant?.id).toBe("acme");
    await expect(tenants.deleteTenant({ tenantId: "acme" })).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  it("tells handlers who asks and under which idempotency key, from the header or the field", async () => {
    test.seen.length = 0;
    const body = JSON.stringify({ tenant_id: "keyed" });
    await test.send("/api/v1/tenants", { method: "POST", body, headers: { "Idempotency-Key": "k-1" } });
    await test.send("/skep.v1.TenantService/CreateTenant", {
      method: "POST",
      body: JSON.stringify({ tenantId: "keyed", idempotencyKey: "k-2" }),
    });
    expect(test.seen).toEqual([
      { key: "k-1", actor: "ops" },
      { key: "k-2", actor: "ops" },
    ]);
    const differing = await test.send("/api/v1/tenants", {
      method: "POST",
      body: JSON.stringify({ tenant_id: "keyed", idempotency_key: "k-2" }),
      headers: { "Idempotency-Key": "k-1" },
    });
    expect(differing.status).toBe(400);
  });
});

describe("an open API", () => {
  it("lets everybody do everything, and holds who shows a known token to what that allows", async () => {
    const reader = { ...anOperator("reader"), grants: [{ permissions: ["tenants.read"] as const, scope: PLATFORM }] };
    const authenticate = knowTokens(new Map([[READER, reader]]));
    await using open = await startTestServer({ auth: { authenticate, permissionOf, isOpen: true } });
    const create = async (authorization: string, name: string) => {
      const init = { method: "POST", body: JSON.stringify({ tenant_id: name }), headers: { authorization } };
      return (await open.send("/api/v1/tenants", init)).status;
    };
    expect([await create("", "one"), await create("Bearer unknown", "two")]).toEqual([200, 200]);
    expect(await create(`Bearer ${READER}`, "three")).toBe(403);
  });
});
