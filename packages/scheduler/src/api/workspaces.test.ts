import { createClient } from "@connectrpc/connect";
import { WorkspaceDesired, WorkspaceState } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { WorkspaceService } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { aTenant } from "@skep/core/testing/builders.ts";
import { isSecret } from "@skep/kit/secret-digest.ts";
import { afterEach, describe, expect, it } from "vitest";
import { placesOf, reasonOf, serveHttp, type HttpApi } from "./testing/http.ts";
import { createTestPlatform } from "./testing/platform.ts";

const SECRET = "sk_live_0123456789";

/** A connector as people write it. */
const aDocument = () => ({
  id: "mxbh48wy",
  workspace: { type: "developer", icode: "DEV-9X00-233" },
  type: "IoT",
  name: "Fleet Management",
  access: { secret: SECRET, maintainers: ["ops@fleet.example"], ratelimits: { sockets: 500, events: 100 } },
  config: {
    protocol: "sio",
    resources: {
      type: "shared",
      specs: {
        database: { url: "", size: 1024 },
        ratelimits: { channels: 50, events: 100, sockets: 500 },
      },
    },
  },
  enabled: true,
});

let http: HttpApi | undefined;
afterEach(() => http?.close());

async function start() {
  const platform = createTestPlatform();
  await platform.store.createTenant(aTenant(), { actor: "someone", idempotencyKey: undefined });
  http = await serveHttp(platform.deps);
  const { send } = http;
  const create = (connector: object, more: object = {}) =>
    send("POST", "/api/v1/workspaces", { tenantId: "acme", connector, ...more });
  return { ...platform, send, create, workspaces: createClient(WorkspaceService, platform.transport) };
}

/** The document with one part replaced, or taken away by `undefined`. */
function withPart(path: string, value: unknown): object {
  const document = structuredClone(aDocument());
  const keys = path.split(".");
  let holder: Record<string, unknown> = document;
  for (const key of keys.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  const last = keys.at(-1)!;
  if (value === undefined) delete holder[last];
  else holder[last] = value;
  return document;
}

describe("workspaces over HTTP", () => {
  it("are created from the document of a connector, which is answered without its secret", async () => {
    const { create, send, store, wakes } = await start();
    const { status, body } = await create(aDocument(), { purpose: { environment: "WORKSPACE_ENVIRONMENT_TESTING" } });
    expect(status).toBe(200);
    const shown = { ...aDocument(), access: { ...aDocument().access, secret: "" } };
    expect(body["workspace"]).toMatchObject({ id: "mxbh48wy", connector: shown, state: "WORKSPACE_STATE_WAITING" });
    expect((await send("GET", "/api/v1/workspaces/mxbh48wy")).body).toEqual(body);
    expect((await send("GET", "/api/v1/tenants/acme/workspaces")).body).toMatchObject({
      workspaces: [body["workspace"]],
    });
    const kept = (await store.getWorkspace("mxbh48wy"))!.connector.access.secret;
    expect(kept).not.toContain(SECRET);
    expect(isSecret("mxbh48wy", kept, SECRET)).toBe(true);
    expect(wakes).toEqual(["workspace mxbh48wy: created"]);
  });

  it("have 500 sockets, 100 events of each and 50 channels where nothing is said (R96)", async () => {
    const { create } = await start();
    const document = withPart("config.resources.specs", undefined) as { access: object };
    const { body } = await create({ ...document, access: { secret: SECRET } });
    const ratelimits = { sockets: 500, events: 100 };
    expect(body["workspace"]).toMatchObject({
      connector: {
        access: { ratelimits },
        config: { resources: { specs: { ratelimits: { ...ratelimits, channels: 50 }, database: { size: 1024 } } } },
      },
    });
  });

  it("take both spellings of their limits and answer one", async () => {
    const { create } = await start();
    const access = { secret: SECRET, ratelimit: { sockets: 7 } };
    const specs = { ratelimit: { channels: 3, events: 9, sockets: 8 } };
    const document = withPart("config.resources.specs", specs) as { access: object };
    const { body } = await create({ ...document, access });
    expect(body["workspace"]).toMatchObject({
      connector: {
        access: { ratelimits: { sockets: 7, events: 100 } },
        config: { resources: { specs: { ratelimits: specs.ratelimit, database: { size: 1024 } } } },
      },
    });
    expect(JSON.stringify(body)).not.toContain('"ratelimit"');
  });

  it.each([
    ...["id", "type", "name", "workspace", "workspace.type", "access", "access.secret"],
    ...["config", "config.protocol", "config.resources", "config.resources.type"],
  ])("are refused without %s, which is named", async path => {
    const { create } = await start();
    const refused = await create(withPart(path, undefined));
    expect(refused.status).toBe(400);
    expect(placesOf(refused)).toEqual([`connector.${path}`]);
  });

  it.each<[string, unknown, string]>([
    ["colour", "red", "colour"],
    ["access.ratelimits.calls", 7, "calls"],
    ["config.resources.specs.ratelimits.topics", 7, "topics"],
    ["workspace.owner", "me", "owner"],
    ["type", "Web", "connector.type"],
    ["config.protocol", "ws", "connector.config.protocol"],
    ["config.resources.type", "both", "connector.config.resources.type"],
    ["access.ratelimits.sockets", 0, "connector.access.ratelimits.sockets"],
    ["access.ratelimit", { sockets: 1 }, "connector.access: says its limits twice"],
    ["access.maintainers", ["nobody"], "connector.access.maintainers[0]"],
    ["access.secret", "short", "connector.access.secret"],
    ["access.secret", `sha256:${"x".repeat(43)}`, "connector.access.secret"],
    ["config.resources.specs.database.retentionDays", 0, "connector.config.resources.specs.database.retention_days"],
    ["config.resources.specs.messagesPerSecond", 0, "connector.config.resources.specs.messages_per_second"],
    ["config.resources.specs.database.url", "mongodb://postgres", "connector.config.resources.specs.database.url"],
  ])("are refused with %s = %j, and the place is named", async (path, value, told) => {
    const { create, store } = await start();
    const { status, body } = await create(withPart(path, value));
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(told);
    expect(JSON.stringify(body)).not.toContain(SECRET);
    expect(await store.getWorkspace("mxbh48wy")).toBeUndefined();
  });

  it("may have a database inside where the operator allows its host; its password is never answered", async () => {
    const { create, send, store } = await start();
    const url = "mongodb://tenant:hunter2@mongo.internal:27017/data";
    const { body } = await create(withPart("config.resources.specs.database.url", url));
    expect(JSON.stringify(body)).toContain("mongodb://tenant:***@mongo.internal:27017/data");
    const shown = body["workspace"] as { readonly connector: object };
    const connector = { ...shown.connector, name: "Renamed" };
    const changed = await send("PATCH", "/api/v1/workspaces/mxbh48wy", { connector });
    expect(JSON.stringify(changed.body)).not.toContain("hunter2");
    expect(changed.body["workspace"]).toMatchObject({ connector: { name: "Renamed" }, resourceVersion: "2" });
    const kept = (await store.getWorkspace("mxbh48wy"))!.connector;
    expect(kept.config.resources.specs.database.url).toBe(url);
    expect(isSecret("mxbh48wy", kept.access.secret, SECRET)).toBe(true);
  });

  it("may have an S3 server of their own; its key is never answered, and goes to no other server", async () => {
    const { create, send, store } = await start();
    const files = { url: "https://s3.example.com", bucket: "fleet", accessKey: "AKIA", secretKey: "hunter2" };
    const inside = await create(withPart("config.resources.specs.files", { ...files, url: "https://versitygw:7070" }));
    expect(inside.body.message).toContain("specs.files.url: versitygw is in the platform's own network");
    expect(JSON.stringify(inside.body)).not.toContain("hunter2");
    const { body } = await create(withPart("config.resources.specs.files", files));
    const shown = body["workspace"] as { readonly connector: { readonly config: object } };
    expect(shown.connector.config).toMatchObject({ resources: { specs: { files: { ...files, secretKey: "***" } } } });
    const change = (connector: object) => send("PATCH", "/api/v1/workspaces/mxbh48wy", { connector });
    expect((await change({ ...shown.connector, name: "Renamed" })).status).toBe(200);
    const kept = (await store.getWorkspace("mxbh48wy"))!.connector;
    expect([kept.name, kept.config.resources.specs.files]).toEqual(["Renamed", { ...files, region: "us-east-1" }]);
    const text = JSON.stringify(shown.connector).replace("s3.example.com", "evil.example.com");
    const moved = await change(JSON.parse(text) as object);
    expect(reasonOf(moved)).toBe("PASSWORD_HIDDEN");
    expect(JSON.stringify(moved.body)).toContain("specs.files.secret_key");
  });

  it("are refused as shared where a regulator asks for more, by the name of the rule", async () => {
    const { create, send } = await start();
    const refused = await create(aDocument(), { purpose: { isRegulated: true } });
    expect(refused.status).toBe(400);
    expect(refused.body.message).toContain("by the rule regulatory-compliance");
    const standalone = withPart("config.resources.type", "standalone");
    expect((await create(standalone, { purpose: { isRegulated: true } })).status).toBe(200);
    const moved = await send("PATCH", "/api/v1/workspaces/mxbh48wy", { connector: { ...aDocument() } });
    expect(reasonOf(moved)).toBe("MODE_FIXED");
  });

  it("tell beforehand which mode fits and what a fleet needs", async () => {
    const { send } = await start();
    const { body } = await send("POST", "/api/v1/workspaces:preview", {
      purpose: { scale: "WORKSPACE_SCALE_LARGE" },
      fleet: { devices: 30_000, messagesPerDay: 2_048_000, connections: 8_000 },
    });
    expect(body).toMatchObject({
      selection: { name: "large-production", mode: "standalone", isBinding: false },
      size: { databaseMb: "2167", memoryMb: "4128", brokerConnections: 30 },
      machine: { name: "small", cores: 4, memoryGb: 8, storageGb: 100, networkGbps: 1 },
      fits: true,
    });
    expect((body as { table?: unknown[]; machines?: unknown[] }).table).toHaveLength(7);
    expect((body as { machines?: unknown[] }).machines).toHaveLength(4);
  });
});

describe("a workspace", () => {
  it("is changed, stopped, restarted and deleted; an update deletes nothing", async () => {
    const { create, workspaces, send } = await start();
    await create(aDocument());
    const workspaceId = "mxbh48wy";
    const update = async (what: Parameters<typeof workspaces.updateWorkspace>[0]) =>
      (await workspaces.updateWorkspace({ workspaceId, ...what })).workspace!;
    expect(await update({ scaling: { enabled: true, triggers: { cpuUsage: 60 } } })).toMatchObject({
      scaling: { enabled: true, triggers: { cpuUsage: 60, memoryUsage: 70 }, cooldown: 300, maxInstances: 5 },
    });
    expect(await update({ scaling: { maxInstances: 2 } })).toMatchObject({
      scaling: { enabled: true, triggers: { cpuUsage: 60 }, maxInstances: 2 },
    });
    expect(await update({ desired: WorkspaceDesired.STOPPED, databasePoolSize: 20 })).toMatchObject({
      ...{ desired: WorkspaceDesired.STOPPED, state: WorkspaceState.STOPPED, databasePoolSize: 20 },
    });
    expect((await workspaces.restartWorkspace({ workspaceId })).workspace?.restarts).toBe(1n);
    const refused = await send("PATCH", "/api/v1/workspaces/mxbh48wy", { desired: "WORKSPACE_DESIRED_DELETED" });
    expect(reasonOf(refused)).toBe("DELETION_UNSAID");
    const stale = await send("DELETE", "/api/v1/workspaces/mxbh48wy?resource_version=1");
    expect(reasonOf(stale)).toBe("STALE_VERSION");
    await workspaces.deleteWorkspace({ workspaceId });
    expect((await workspaces.getWorkspace({ workspaceId })).workspace?.desired).toBe(WorkspaceDesired.DELETED);
    const other = await send("PATCH", "/api/v1/workspaces/other", { connector: aDocument() });
    expect(other.body.message).toContain("an id cannot change");
    expect((await send("GET", "/api/v1/workspaces/other")).status).toBe(404);
  });
});
