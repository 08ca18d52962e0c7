import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Readable } from "node:stream";
import { aConnector } from "@skep/core/testing/connector.ts";
import { socketPathOf } from "@skep/core/workspace/reach.ts";
import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { readHostConfig } from "@skep/workspace/config.ts";
import { openHostedContainers } from "@skep/workspace/container/open-hosted.ts";
import { healthOf, MCS, SHARED } from "@skep/workspace/container/registry.ts";
import type { LoadedRules } from "@skep/workspace/host/host-api.ts";
import type { RunningContainer } from "@skep/workspace/host/container.ts";
import { MongoClient } from "mongodb";
import { connectAsync } from "mqtt";
import { io } from "socket.io-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { startMongodServer, type MongodServer } from "../../support/mongod-server.ts";
import { startMosquittoServer, type MosquittoServer } from "../../support/mosquitto-server.ts";
import { startVersitygwServer, type VersitygwServer } from "../../support/versitygw-server.ts";

let mongod: MongodServer;
let broker: MosquittoServer;
let s3: VersitygwServer;
const ends: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  [mongod, broker, s3] = await Promise.all([startMongodServer(), startMosquittoServer(), startVersitygwServer()]);
  ends.push(
    () => mongod.close(),
    () => broker.close(),
    () => s3.close(),
  );
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

const connector = aConnector({ id: "fleet" });
const WANTED: AssignedWorkspace = {
  ...{ id: "fleet", epoch: 1, desired: "run", connector, version: 1, restarts: 0 },
  ...{ databasePool: 5, rulesVersion: 0 },
};

const OWNED = { mayRead: () => true };

/** A rule that acts on hot engines, and the schema that types them, as they are recorded. */
const RULES: LoadedRules = {
  rulesVersion: 1,
  webhooks: new Map(),
  records: [
    {
      ...{ workspaceId: "fleet", kind: "schema", reference: "telemetry", version: 1, createdAt: 0, createdBy: "me" },
      document: { reference: "telemetry", format: { kind: "json" }, fields: { t: { type: "number", sources: ["t"] } } },
    },
    {
      ...{ workspaceId: "fleet", kind: "rule", reference: "hot", version: 1, createdAt: 0, createdBy: "me" },
      document: {
        id: "hot",
        when: { kind: "threshold", field: "t", is: ">", value: 80 },
        actions: [
          { kind: "event", topic: "engine-hot" },
          { kind: "command", type: "cool", payload: { fan: "on" } },
        ],
      },
    },
  ],
};

/** What containers of a host share, on real engines. */
async function openHost(
  more: Readonly<Record<string, string>> = {},
  loadRules: () => Promise<LoadedRules> = async () => RULES,
) {
  const stack = new AsyncDisposableStack();
  ends.push(() => stack.disposeAsync());
  const log = createRecordingLog();
  const config = readHostConfig({
    ...{ SKEP_EVENTS_PORT: "0", SKEP_MONGODB_URL: mongod.url, SKEP_MQTT_URL: broker.url },
    ...more,
  });
  const life = { stack, signal: new AbortController().signal, stop: () => undefined };
  const containers = (await openHostedContainers(config, log, life)).factory(loadRules);
  const port = log.lines.find(one => one.event === "events.listening")?.fields["eventsPort"] as number;
  return { containers, port, log };
}

it("goes the whole way: a device publishes, it is stored, a rule acts, sockets and the device hear", async () => {
  const { containers, port } = await openHost();
  const container: RunningContainer = await containers.start(WANTED, { mayRead: () => true });
  expect(healthOf(SHARED, "fleet")).toMatchObject({ status: "healthy", lastError: "" });
  await container.update({ ...WANTED, rulesVersion: 1 });

  const socket = io(`http://127.0.0.1:${port}/ws/fleet`, {
    ...{ transports: ["websocket"], path: socketPathOf("fleet") },
    auth: { secret: connector.access.secret },
  });
  ends.push(async () => socket.close());
  await once(socket as never, "connect", { signal: AbortSignal.timeout(5_000) });
  const heard: unknown[] = [];
  socket.on("event", (event: unknown) => heard.push(event));
  await socket.emitWithAck("subscribe", "#");

  const device = await connectAsync(broker.url, { clientId: "d1" });
  ends.push(() => device.endAsync(true));
  await device.subscribeAsync("fleet/devices/d1/commands/#", { qos: 1 });
  const commanded = once(device as never, "message", { signal: AbortSignal.timeout(10_000) });
  await device.publishAsync("fleet/devices/d1/telemetry/engine", JSON.stringify({ t: 81 }), { qos: 1 });
  await device.publishAsync("fleet/devices/d1/telemetry/engine", "no JSON", { qos: 1 });

  const [topic, payload] = (await commanded) as [string, Buffer];
  expect([topic, payload.toString()]).toEqual(["fleet/devices/d1/commands/cool", '{"fan":"on"}']);
  await eventually(() => expect(JSON.stringify(heard)).toMatch(/devices\/d1\/telemetry\/engine.*engine-hot/s));

  const client = new MongoClient(mongod.url);
  ends.push(() => client.close());
  const database = client.db("ws_fleet");
  await eventually(async () => {
    expect(await database.collection("messages").find({ category: "telemetry" }).toArray()).toMatchObject([
      { deviceId: "d1", type: "engine", value: { t: 81 }, schema: "telemetry@1" },
    ]);
    expect(await database.collection("dead_letters").countDocuments()).toBe(1);
  });
  expect(container.counts()).toMatchObject({ "ingest.read": 3, "rules.acted": 2, "events.sockets": 1 });
  expect([container.isHealthy(), container.lastError()]).toEqual([true, ""]);

  const left = once(socket as never, "disconnect", { signal: AbortSignal.timeout(10_000) });
  await container.close();
  await left;
  expect(healthOf(SHARED, "fleet")).toEqual({ status: "not_found" });
});

it("begins anew with another secret, and says why it cannot begin", async () => {
  const { containers } = await openHost();
  const container = await containers.start(WANTED, { mayRead: () => true });
  const other = { ...connector, access: { ...connector.access, secret: "another secret word" } };
  await container.update({ ...WANTED, version: 2, connector: other });
  expect(container.isHealthy()).toBe(true);
  await broker.stop();
  await eventually(() => expect(container.isHealthy()).toBe(false));
  expect(container.lastError()).toMatch(/^ERROR: MQTT connection failed: unreachable/);
  const second = { ...WANTED, id: "second", connector: aConnector({ id: "second" }) };
  await expect(containers.start(second, { mayRead: () => true })).rejects.toThrow("ERROR: MQTT connection failed");
  expect(healthOf(SHARED, "second")).toEqual({ status: "not_found" });
  await broker.start();
  await eventually(() => expect(container.isHealthy()).toBe(true));
  await container.close();
});

it("keeps files where the host has an S3 server (R52, R72), and says that they are off where it has none", async () => {
  const keys = { SKEP_S3_ACCESS_KEY: s3.accessKeyId, SKEP_S3_SECRET_KEY: s3.secretAccessKey };
  const { containers, log } = await openHost({ SKEP_S3_URL: s3.url, ...keys });
  expect(log.lines.filter(one => one.event === "files.off")).toEqual([]);
  const running = await containers.start({ ...WANTED, id: "files", connector: aConnector({ id: "files" }) }, OWNED);
  const files = MCS[SHARED]?.["files"]?.files;
  await files?.upload("reports/one.txt", Readable.from([Buffer.from("hello")]));
  expect(await files?.list()).toMatchObject({ files: [{ name: "reports/one.txt", size: 5 }] });
  expect(running.counts()).toMatchObject({ "files.uploads": 1 });
  await running.close();
  await expect(files?.stat("reports/one.txt")).rejects.toThrow("closed here");

  const without = await openHost();
  expect(without.log.lines.filter(one => one.event === "files.off")).toHaveLength(1);
  const other = await without.containers.start(WANTED, OWNED);
  expect(MCS[SHARED]?.["fleet"]?.files).toBeUndefined();
  await other.close();
});

it("reads and stores while its S3 server is away, says that files are, and has them once it is there", async () => {
  const keys = { SKEP_S3_ACCESS_KEY: s3.accessKeyId, SKEP_S3_SECRET_KEY: s3.secretAccessKey };
  const { containers } = await openHost({ SKEP_S3_URL: s3.url, ...keys });
  await s3.kill();
  const id = "early";
  const running = await containers.start({ ...WANTED, id, connector: aConnector({ id }) }, OWNED);
  const device = await connectAsync(broker.url, { clientId: id });
  ends.push(() => device.endAsync(true));
  await device.publishAsync(`${id}/devices/${id}/telemetry/x`, "1", { qos: 1 });
  await eventually(() => expect(running.counts()).toMatchObject({ "ingest.stored": 1 }));
  const files = MCS[SHARED]?.[id]?.files;
  const upload = (): Promise<unknown> => files!.upload("a.txt", Readable.from([Buffer.from("hello")]));
  for (const call of [upload, () => files!.list(), async () => files!.usage()])
    await expect(call()).rejects.toMatchObject({ reason: "FILES_AWAY", code: "unavailable" });
  expect(running.counts()).not.toHaveProperty("files.files");
  expect(running.isHealthy()).toBe(false);
  expect(running.lastError()).toMatch(/^The files are away: Region .* ECONNREFUSED.*tried again; messages are stored/);
  await s3.start();
  await eventually(() => expect(running.isHealthy()).toBe(true), 10_000);
  await upload();
  // Nobody outside reaches that server.
  await expect(files!.linkToRead("a.txt", 60)).rejects.toMatchObject({ reason: "FILE_LINKS_OFF" });
  await expect(files!.linkToWrite("b.txt", 60, { exactly: 5 })).rejects.toThrow(/skep file put.*BeginUpload/);
  expect(files?.usage()).toMatchObject({ files: 1, heldFiles: 0 });
  await running.close();
});

it("keeps files in an S3 server of the tenant's own, to which links lead, and in none that is inside", async () => {
  const keys = { SKEP_S3_URL: "http://127.0.0.1:1", SKEP_S3_SECRET_KEY: "none" };
  const allowed = await openHost({ ...keys, SKEP_ALLOWED_DATABASE_HOSTS: "127.0.0.1" });
  const { accessKeyId: accessKey, secretAccessKey: secretKey, url } = s3;
  const files = { url, region: "us-east-1", bucket: "tenant-files", accessKey, secretKey };
  const owner = (id: string, over: object = {}): AssignedWorkspace => {
    return { ...WANTED, id, connector: aConnector({ id }, {}, { files: { ...files, ...over } }) };
  };
  const running = await allowed.containers.start(owner("owner"), OWNED);
  const opened = () => MCS[SHARED]?.["owner"]?.files;
  await opened()?.upload("a.txt", Readable.from([Buffer.from("hello")]));
  const link = await opened()?.linkToRead("a.txt", 60);
  expect(await (await fetch(link?.url ?? "")).text()).toBe("hello");
  expect(link?.url).toContain(`${url}/tenant-files/ws/owner/a.txt?`);
  // Another bucket is another place: it begins there anew.
  await running.update({ ...owner("owner", { bucket: "other-files" }), version: 2 });
  expect(await opened()?.list()).toMatchObject({ files: [] });
  await running.close();
  const { containers } = await openHost();
  const refused = containers.start(owner("stranger"), OWNED);
  await expect(refused).rejects.toThrow("The S3 server of workspace stranger may not be used: it speaks http:");
});

it("posts what a rule says to the webhooks of the workspace, signed, and takes changed ones", async () => {
  const posted: string[] = [];
  const server = createServer((request, response) => {
    const signature = String(request.headers["skep-signature"]).slice(0, 2);
    void text(request).then(body => posted.push(`${request.url} ${signature} ${body}`));
    response.end();
  }).listen(0, "127.0.0.1");
  ends.push(async () => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const document = { id: "all", when: { kind: "always" }, repeat: { kind: "always" } };
  const record = { ...RULES.records[1]!, reference: "all" };
  const loaded = {
    records: [{ ...record, document: { ...document, actions: [{ kind: "webhook", target: "ops" }] } }],
    rulesVersion: 1,
    webhooks: new Map([["ops", { url: `${url}/first`, secret: "whsec_0123456789abcdef" }]]),
  };
  let rules: LoadedRules = loaded;
  const { containers } = await openHost({ SKEP_ALLOWED_WEBHOOK_HOSTS: "127.0.0.1" }, async () => rules);
  const running = await containers.start({ ...WANTED, rulesVersion: 1 }, OWNED);
  const device = await connectAsync(broker.url, { clientId: "d2" });
  ends.push(() => device.endAsync(true));
  const publish = (n: number) => device.publishAsync("fleet/devices/d2/telemetry/x", `{"n":${n}}`, { qos: 1 });
  await publish(1);
  await eventually(() => expect(posted[0]).toMatch(/^\/first t= .*"device":"d2".*"rule":"all".*"value":{"n":1}/));
  rules = { ...loaded, rulesVersion: 2, webhooks: new Map([["ops", { url: `${url}/second`, secret: undefined }]]) };
  await running.update({ ...WANTED, rulesVersion: 2 });
  await publish(2);
  await eventually(() => expect(posted[1]).toMatch(/^\/second un .*"value":{"n":2}/));
  await eventually(() => expect(running.counts()).toMatchObject({ "rules.webhooksSent": 2 }));
  await running.close();
});

it("removes the database and the files of a dropped workspace, and nobody else's", async () => {
  const keys = { SKEP_S3_ACCESS_KEY: s3.accessKeyId, SKEP_S3_SECRET_KEY: s3.secretAccessKey };
  const { containers } = await openHost({ SKEP_S3_URL: s3.url, ...keys });
  const wanted = (id: string): AssignedWorkspace => ({ ...WANTED, id, connector: aConnector({ id }) });
  for (const id of ["gone", "stays"]) {
    const running = await containers.start(wanted(id), OWNED);
    await MCS[SHARED]?.[id]?.files?.upload("a.txt", Readable.from([Buffer.from("hello")]));
    if (id === "gone") await running.close();
  }
  const client = new MongoClient(mongod.url);
  ends.push(() => client.close());
  const names = async () => (await client.db().admin().listDatabases()).databases.map(one => one.name);
  expect(await names()).toEqual(expect.arrayContaining(["ws_gone", "ws_stays"]));
  const dropped = { ...wanted("gone"), removesData: true } as const;
  await expect(containers.start(dropped, { mayRead: () => false })).rejects.toThrow("not the owner");
  expect(await names()).toContain("ws_gone");
  // Twice: whoever comes after a host that died meanwhile finds nothing, and is done as well.
  for (let time = 0; time < 2; time += 1) {
    const removed = await containers.start(dropped, OWNED);
    expect([removed.counts(), removed.isHealthy()]).toEqual([{ "data.removed": 1 }, true]);
    await removed.close();
  }
  expect(await names()).not.toContain("ws_gone");
  expect(await names()).toContain("ws_stays");
  expect(await MCS[SHARED]?.["stays"]?.files?.list()).toMatchObject({ files: [{ name: "a.txt" }] });
  const again = await containers.start(wanted("gone"), OWNED);
  expect(await MCS[SHARED]?.["gone"]?.files?.list()).toMatchObject({ files: [] });
  await again.close();
});
