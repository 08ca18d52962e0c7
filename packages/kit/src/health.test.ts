import { Gauge, Registry } from "@prometheus-io/client";
import { expect, test } from "vitest";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createHealthHandler, runChecks } from "./health.ts";

test("the pages tell whether the service lives, whether it is ready, and its metrics", async () => {
  const metrics = new Registry();
  new Gauge({ name: "skep_tenants", help: "Tenants.", registers: [metrics] }).set(3);
  let database: string | undefined = "the database is away";
  const handle = createHealthHandler({ metrics, ready: { database: () => database } });
  const server = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, body: await response.text() };
  };
  expect((await ask("/livez")).status).toBe(200);
  const refused = await ask("/readyz");
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.body)).toEqual({ ok: false, checks: { database: "the database is away" } });
  database = undefined;
  expect((await ask("/readyz")).status).toBe(200);
  expect((await ask("/metrics")).body).toContain("skep_tenants 3");
  expect((await ask("/other")).status).toBe(404);
  server.closeAllConnections();
  server.close();
});

test("a check that hangs or throws fails with its reason, and does not hold up the others", async () => {
  const failures = await runChecks(
    {
      well: () => undefined,
      hangs: () => new Promise(() => undefined),
      throws: () => Promise.reject(new Error("broken")),
    },
    20,
  );
  expect(Object.fromEntries(failures)).toEqual({ hangs: "no answer within 20 ms", throws: "broken" });
});
