import { limitsOf } from "@skep/core/workspace/connector.ts";
import { aConnector, aPurpose } from "@skep/core/testing/connector.ts";
import { afterEach, describe, expect, it } from "vitest";
import { aHostedStatus, aHostReport } from "../store/testing/hosts.ts";
import { placesOf, reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform, LEADER } from "./testing/platform.ts";

const someone = { actor: "someone", idempotencyKey: undefined };

let http: HttpApi | undefined;
afterEach(() => http?.close());

async function start() {
  const platform = createTestPlatform();
  const { store, deps } = platform;
  const connector = aConnector({ id: "fleet" });
  const wanted = { tenantId: "default", connector, purpose: aPurpose(), strategy: "least-loaded" } as const;
  await store.createWorkspace(wanted, someone, 1);
  http = await serveHttp(deps);
  /** Its host reports, and has it from then on. */
  const report = async (counts: Readonly<Record<string, number>>, lastError = "") => {
    const now = deps.clock.now();
    await store.saveHostReport(aHostReport(), 2_000, now);
    const because = "";
    const place = { kind: "place", workspaceId: "fleet", hostId: "host_a", epoch: 1, placement: 1, because } as const;
    const plan = { changes: [place], silenced: new Map(), gone: [], lost: [] };
    await store.commitHosting(plan, await store.takeLease(...LEADER), now);
    const status = aHostedStatus({ counts, lastError, isHealthy: lastError === "" });
    await store.saveHostReport(aHostReport({ seq: 2, workspaces: [status] }), 2_000, now);
  };
  return { ...platform, send: http.send, report };
}

describe("GET /containers/:id/status", () => {
  it("answers not_found for a container that there is not", async () => {
    const { send } = await start();
    expect(await send("GET", "/containers/nobody/status")).toMatchObject({
      status: 200,
      body: { status: "not_found" },
    });
  });

  it("answers what its host said last, and says what nobody has said", async () => {
    const { send, report } = await start();
    const before = await send("GET", "/containers/fleet/status");
    expect(before.body).toMatchObject({ status: "unhealthy", state: "WAITING", resources: {} });
    expect(before.body["notKnown"]).toEqual(["no host has it, so nothing is known of how it runs"]);
    expect(before.body).not.toHaveProperty("uptime");
    await report({ uptime: 60, "events.sockets": 3 });
    const { body } = await send("GET", "/containers/fleet/status");
    expect(body).toMatchObject({ status: "healthy", state: "ACTIVE", uptime: 60, lastError: "", notKnown: [] });
    expect(body["resources"]).toEqual({ uptime: 60, "events.sockets": 3 });
  });

  it("answers unhealthy with what failed last", async () => {
    const { send, report } = await start();
    await report({}, "the broker is away");
    const { body } = await send("GET", "/containers/fleet/status");
    expect(body).toMatchObject({ status: "unhealthy", lastError: "the broker is away" });
    const shown = (await send("GET", "/api/v1/workspaces/fleet")).body["workspace"];
    expect(shown).toMatchObject({ location: { hostId: "host_a", nodeId: "node-1", epoch: "1" } });
  });
});

describe("PATCH /containers/:id/resources", () => {
  it.each(["ratelimits", "ratelimit"])("records the bounds that it names, with the spelling %s", async spelling => {
    const { send, store } = await start();
    const body = { database: { poolSize: 20 }, [spelling]: { events: 200, sockets: 800 } };
    const answer = await send("PATCH", "/containers/fleet/resources", body);
    expect(answer.body).toMatchObject({
      database: { poolSize: 20, maxSize: 1024 },
      ratelimits: { events: 200, sockets: 800, channels: 50 },
      resourceVersion: "2",
    });
    const record = (await store.getWorkspace("fleet"))!;
    expect(limitsOf(record.connector)).toEqual({ events: 200, sockets: 800, channels: 50 });
    expect(record.databasePool).toBe(20);
  });

  it("answers a repetition under one key as before", async () => {
    const { send, store } = await start();
    const body = { database: { poolSize: 20 }, idempotencyKey: "k1" };
    const [first, again] = [1, 2].map(() => send("PATCH", "/containers/fleet/resources", body));
    expect((await first!).body).toEqual((await again!).body);
    expect((await store.getWorkspace("fleet"))?.version).toBe(2);
  });

  it.each<[unknown, string]>([
    [{}, "RESOURCES_UNSAID"],
    [{ database: {} }, "RESOURCES_UNSAID"],
    [{ database: { poolSize: 20 }, resourceVersion: 7 }, "STALE_VERSION"],
  ])("refuses %j as %s", async (body, reason) => {
    const { send } = await start();
    expect(reasonOf(await send("PATCH", "/containers/fleet/resources", body))).toBe(reason);
  });

  it.each<[unknown, readonly string[]]>([
    [{ database: { poolSize: 0 } }, ["database.pool_size"]],
    [{ ratelimits: { events: 0 } }, ["ratelimits.events"]],
  ])("refuses %j by its place", async (body, places) => {
    const { send } = await start();
    expect(placesOf(await send("PATCH", "/containers/fleet/resources", body)).map(snake)).toEqual(places);
  });

  it("refuses both spellings at once, unknown fields, and a container that there is not", async () => {
    const { send } = await start();
    const twice = await send("PATCH", "/containers/fleet/resources", { ratelimits: {}, ratelimit: {} });
    expect([twice.status, twice.body.message]).toMatchObject([400, expect.stringContaining("twice") as string]);
    const unknown = await send("PATCH", "/containers/fleet/resources", { cpu: 1, database: { pool: 2, poolSize: 3 } });
    expect([unknown.status, reasonOf(unknown), placesOf(unknown)]).toEqual([
      ...[400, "INVALID_REQUEST"],
      ["cpu", "database.pool"],
    ]);
    expect(unknown.body.message).toContain("database.pool: there is no such field; leave it out; known here: poolSize");
    const notJson = await send("PATCH", "/containers/fleet/resources", "{");
    expect([notJson.status, reasonOf(notJson)]).toEqual([400, "INVALID_REQUEST"]);
    const nobody = await send("PATCH", "/containers/nobody/resources", { database: { poolSize: 2 } });
    expect([nobody.status, reasonOf(nobody)]).toEqual([404, "WORKSPACE_NOT_FOUND"]);
  });
});

describe("the other calls on a container", () => {
  it("restart it", async () => {
    const { send, store, wakes } = await start();
    expect((await send("POST", "/containers/fleet/restart")).body).toEqual({ restarts: "1" });
    expect((await send("POST", "/containers/fleet/restart", {})).body).toEqual({ restarts: "2" });
    expect((await store.getWorkspace("fleet"))?.restarts).toBe(2);
    expect(wakes).toContain("workspace fleet: restart");
  });

  it.each(["1h", "24h", "7d", "30d"])("answer its metrics over %s, and that none are kept", async period => {
    const { send, report } = await start();
    await report({ uptime: 5, stored: 12 });
    const { body } = await send("GET", `/containers/fleet/metrics?period=${period}`);
    expect(body).toMatchObject({ period, current: { uptime: 5, stored: 12 } });
    expect(body["notKnown"]).toEqual([
      `how it was over the last ${period}: no numbers are kept, these are the last ones`,
    ]);
  });

  it("refuse another period, and take one hour where none is named", async () => {
    const { send } = await start();
    expect((await send("GET", "/containers/fleet/metrics?period=1y")).body.message).toContain(
      "must be 1h, 24h, 7d or 30d",
    );
    expect((await send("GET", "/containers/fleet/metrics")).body).toMatchObject({ period: "1h", current: {} });
  });

  it("answer its connections, each with its bound", async () => {
    const { send, report } = await start();
    await report({ "events.sockets": 3 });
    const { body } = await send("GET", "/containers/fleet/connections");
    expect(body["connections"]).toEqual([
      { kind: "sockets", open: 3, most: 500 },
      { kind: "channels", most: 50 },
      { kind: "database", most: 10 },
    ]);
    expect(body["notKnown"]).toHaveLength(2);
  });

  it("answer a diagnosis and a report without a secret", async () => {
    const { send, report } = await start();
    expect((await send("GET", "/containers/fleet/diagnostics")).body).toMatchObject({ ok: false });
    await report({ uptime: 1 });
    expect((await send("GET", "/containers/fleet/diagnostics")).body).toMatchObject({ ok: true });
    const answer = await send("POST", "/containers/fleet/report", {});
    expect(answer.body).toMatchObject({
      ...{ workspace: { id: "fleet" }, status: { status: "healthy" }, diagnostics: { ok: true } },
      connections: { connections: [{}, {}, {}] },
    });
    expect(JSON.stringify(answer.body)).not.toContain(aConnector().access.secret);
    for (const path of ["metrics", "diagnostics", "connections"])
      expect(reasonOf(await send("GET", `/containers/nobody/${path}`))).toBe("WORKSPACE_NOT_FOUND");
  });
});

describe("PATCH /workspace/config/auto-scaling", () => {
  const PATH = "/workspace/config/auto-scaling?workspace_id=fleet";
  const BODY = {
    enabled: true,
    triggers: { cpuUsage: 80, memoryUsage: 70, connectionCount: 400, messagesPerSecond: 5000 },
    cooldown: 300,
    maxInstances: 5,
  };

  it("records the policy of the body, and gets the defaults where it says nothing", async () => {
    const { send, store } = await start();
    const whole = await send("PATCH", PATH, BODY);
    expect(whole.body).toMatchObject({ workspaceId: "fleet", policy: BODY, instances: 1, recorded: true });
    const { scaling } = (await store.getWorkspace("fleet"))!;
    expect(scaling).toEqual(BODY);
    const { body } = await send("PATCH", PATH, { enabled: false });
    expect(body).toMatchObject({ policy: { ...BODY, enabled: false }, because: "auto-scaling is off" });
  });

  it("says what the policy would do now, and records nothing in a dry run", async () => {
    const { send, store, report } = await start();
    const load = { cpuUsage: 90, memoryUsage: 10, connectionCount: 1, messagesPerSecond: 1 };
    await report(Object.fromEntries(Object.entries(load).map(([name, value]) => [`load.${name}`, value])));
    const { body } = await send("PATCH", `${PATH}&dry_run=true`, { ...BODY, triggers: { cpuUsage: 60 } });
    expect(body).toMatchObject({
      instances: 2,
      because: "cpu (%) is 90, above 60",
      recorded: false,
      resourceVersion: "1",
    });
    expect((await store.getWorkspace("fleet"))?.scaling.enabled).toBe(false);
  });

  it.each<[unknown, string]>([
    [{ triggers: { cpuUsage: 101 } }, "cpu"],
    [{ triggers: { diskUsage: 1 } }, "diskUsage"],
    [{ maxInstances: 0 }, "max"],
    [{ cooldown: -1 }, "cooldown"],
    [{ enabled: "yes" }, "enabled"],
  ])("refuses %j by its place", async (body, place) => {
    const { send } = await start();
    const refused = await send("PATCH", PATH, body);
    expect(refused.status).toBe(400);
    expect(JSON.stringify(refused.body)).toContain(place);
  });

  it("refuses a call that names no workspace", async () => {
    const { send } = await start();
    const refused = await send("PATCH", "/workspace/config/auto-scaling", BODY);
    expect([refused.status, JSON.stringify(refused.body)]).toMatchObject([
      400,
      expect.stringContaining("workspace") as string,
    ]);
  });
});

/** Places are told in the spelling of the definitions or of JSON. */
function snake(path: string): string {
  return path.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}
