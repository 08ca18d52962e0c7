import { afterEach, describe, expect, it } from "vitest";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform } from "./testing/platform.ts";

let http: HttpApi | undefined;
afterEach(() => http?.close());

const by = { actor: "someone", idempotencyKey: undefined };
const SECRET = "whsec_0123456789abcdef";
const PATH = "/api/v1/workspaces/fleet/webhooks";

async function start() {
  const platform = createTestPlatform();
  await platform.store.createTenant(aTenant(), by);
  const wanted = { connector: aConnector({ id: "fleet" }), purpose: aPurpose(), strategy: "least-loaded" } as const;
  await platform.store.createWorkspace({ tenantId: "acme", ...wanted }, by, 0);
  http = await serveHttp(platform.deps);
  const { send } = http;
  const put = (body: object) => send("POST", PATH, { name: "ops", url: "https://hooks.example.com/s3cr3t", ...body });
  return { ...platform, send, put };
}

describe("webhooks over HTTP", () => {
  it("are registered, listed and deleted, and their path and secret are told to nobody", async () => {
    const { put, send, store, wakes } = await start();
    const { status, body } = await put({ secret: SECRET });
    expect([status, body["webhook"]]).toMatchObject([
      200,
      { workspaceId: "fleet", name: "ops", address: "https://hooks.example.com", isSigned: true },
    ]);
    expect((await send("GET", PATH)).body).toEqual({ webhooks: [body["webhook"]] });
    const told = JSON.stringify([body, (await send("GET", PATH)).body]);
    expect(told).not.toMatch(/s3cr3t|whsec/);
    expect(await store.loadWebhooks("fleet")).toMatchObject([
      { url: "https://hooks.example.com/s3cr3t", secret: SECRET },
    ]);
    expect((await send("DELETE", `${PATH}/ops`)).status).toBe(200);
    expect((await send("DELETE", `${PATH}/ops`)).status).toBe(404);
    expect((await send("GET", "/api/v1/workspaces/nobody/webhooks")).status).toBe(404);
    expect(wakes.at(0)).toBe("workspace fleet: webhook ops is registered");
  });

  it.each([
    [{ url: "http://hooks.example.com" }, "use https:"],
    [{ url: "https://10.0.0.7/x" }, "no address in the Internet"],
    [{ url: "https://2130706433/x" }, "no address in the Internet"],
    [{ url: "https://[::ffff:127.0.0.1]/x" }, "no address in the Internet"],
    [{ url: "https://me:s3cr3t@hooks.example.com" }, "it names a user"],
    [{ secret: "short" }, "use 16 or more"],
    [{ name: "../x" }, "name"],
    [{ colour: "red" }, "colour"],
  ])("are refused as %j, and it is said why", async (change, sentence) => {
    const { put, store } = await start();
    const { status, body } = await put({ secret: SECRET, ...change });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(sentence)]);
    expect(JSON.stringify(body)).not.toMatch(/s3cr3t|whsec/);
    expect(await store.loadWebhooks("fleet")).toEqual([]);
  });

  it("may go inside where the operator allows the host", async () => {
    const { put } = await start();
    expect((await put({ url: "http://hooks.internal:8080/x" })).status).toBe(200);
  });
});
