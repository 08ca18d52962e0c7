import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { afterEach, describe, expect, it } from "vitest";
import { placesOf, reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform } from "./testing/platform.ts";

const HOT = {
  id: "hot",
  category: "telemetry",
  when: { kind: "threshold", field: "temperature", is: ">", value: 80, clear: 75 },
  actions: [{ kind: "event", topic: "alarm" }],
};
const SCHEMA = { reference: "car", fields: { temperature: { type: "number", unit: "°C" } } };
const PATH = "/api/v1/workspaces/fleet/rules";

let http: HttpApi | undefined;
afterEach(() => http?.close());

async function start() {
  const platform = createTestPlatform();
  const someone = { actor: "someone", idempotencyKey: undefined };
  const connector = aConnector({ id: "fleet" });
  const wanted = { tenantId: "default", connector, purpose: aPurpose(), strategy: "least-loaded" } as const;
  await platform.store.createWorkspace(wanted, someone, 1);
  http = await serveHttp(platform.deps);
  const put = (document: unknown, more: object = {}) => http!.send("PUT", PATH, { document, ...more });
  return { ...platform, send: http.send, put };
}

describe("rules over HTTP", () => {
  it("are put, listed, versioned and deleted", async () => {
    const { put, send, wakes } = await start();
    const made = await put(HOT);
    expect(made).toMatchObject({ status: 200, body: { rule: { reference: "hot", version: "1", document: HOT } } });
    expect(made.body["rule"]).toMatchObject({ kind: "RULE_KIND_RULE", createdBy: "anonymous" });
    await put({ ...HOT, enabled: false }, { baseVersion: "1" });
    await put(SCHEMA, { kind: "RULE_KIND_SCHEMA" });
    const { body } = await send("GET", PATH);
    expect((body["rules"] as object[]).length).toBe(2);
    expect((await send("GET", `${PATH}?kind=RULE_KIND_SCHEMA`)).body).toMatchObject({ rules: [{ document: SCHEMA }] });
    expect(reasonOf(await put(HOT, { baseVersion: "1" }))).toBe("STALE_VERSION");
    expect(await send("DELETE", `${PATH}/hot?base_version=2`)).toMatchObject({ status: 200 });
    expect((await send("GET", `${PATH}/hot/versions`)).body).toMatchObject({
      rules: [{ version: "3" }, { version: "2", document: { enabled: false } }, { version: "1", document: HOT }],
    });
    expect(reasonOf(await send("DELETE", `${PATH}/hot`))).toBe("RULE_NOT_FOUND");
    expect(reasonOf(await send("GET", `${PATH}/cold/versions`))).toBe("RULE_NOT_FOUND");
    expect(reasonOf(await send("GET", "/api/v1/workspaces/other/rules"))).toBe("WORKSPACE_NOT_FOUND");
    expect(wakes).toContain("workspace fleet: rule hot is at version 1");
  });

  it.each<[string, unknown, string]>([
    ["an unknown field", { ...HOT, colour: "red" }, "document.colour"],
    ["a pattern", { ...HOT, when: { kind: "matches", field: "a", pattern: "(a+)+$" } }, "document.when.kind"],
    ["a script", { ...HOT, actions: [{ kind: "script", code: "1" }] }, "document.actions[0].kind"],
    ["no name", { ...HOT, id: undefined }, "document.id"],
    [
      "a NUL",
      { ...HOT, actions: [{ kind: "command", type: "a", payload: { a: "\0" } }] },
      "document.actions[0].payload.a",
    ],
    ["half a character", { ...HOT, actions: [{ kind: "command", type: "a", payload: { a: "\ud800" } }] }, "document"],
    ["too much", { ...HOT, actions: [{ kind: "command", type: "a", payload: { a: "x".repeat(40_000) } }] }, "document"],
  ])("are refused with %s, by its place", async (_, document, path) => {
    const { put, store } = await start();
    const refused = await put(document);
    expect(refused.status).toBe(400);
    expect(placesOf(refused)).toEqual([path]);
    expect((await store.loadRules("fleet"))?.records).toEqual([]);
  });

  it("are refused as a schema where they are a rule", async () => {
    const { put } = await start();
    expect(placesOf(await put(HOT, { kind: "RULE_KIND_SCHEMA" }))).toContain("document.reference");
  });

  it.each([20, 1_000, 4_000, 7_000, 10_000, 100_000])(
    "that are %i deep are refused, and nothing fails",
    async depth => {
      const { send } = await start();
      const body = `{"document":{"id":"hot","when":${'{"kind":"not","of":'.repeat(depth)}1${"}".repeat(depth)}}}`;
      const refused = await send("PUT", PATH, body);
      expect(refused.status).toBe(400);
    },
  );
});
