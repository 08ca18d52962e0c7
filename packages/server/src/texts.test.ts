import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer } from "./testing/test-server.ts";
import type { TestServer } from "./testing/test-server.ts";

let test: TestServer;
beforeAll(async () => {
  test = await startTestServer();
});
afterAll(async () => await test[Symbol.asyncDispose]());

it.each([
  [
    "a body",
    "/api/v1/tenants",
    { method: "POST", body: JSON.stringify({ idempotency_key: "a\0b" }) },
    "idempotencyKey",
  ],
  ["a path", "/api/v1/tenants/a%00b", { method: "GET" }, "tenantId"],
  ["a query", "/api/v1/tenants?page_token=a%00b", { method: "GET" }, "pageToken"],
])("refuses a NUL character in %s, by the name of its field", async (_, path, init, field) => {
  const { status, body } = await test.send(path, init);
  expect([status, body["code"], body["message"]]).toEqual([
    400,
    "invalid_argument",
    `${field} holds a NUL character: remove it.`,
  ]);
});

it("refuses it in a stream's request too", async () => {
  const json = Buffer.from(JSON.stringify({ nodeId: "a\0b" }));
  const answer = await fetch(`${test.url}/skep.v1.PlatformService/WatchEvents`, {
    method: "POST",
    headers: { "content-type": "application/connect+json", authorization: "Bearer a-token-for-tests" },
    body: Buffer.concat([Buffer.from([0, 0, 0, 0, json.length]), json]),
  });
  expect(await answer.text()).toContain("nodeId holds a NUL character");
});
