import { once } from "node:events";
import { request as ask, type IncomingMessage } from "node:http";
import type { JsonObject } from "@bufbuild/protobuf";
import { connectorToProto } from "@skep/api/codec/connector.ts";
import { RuleKind } from "@skep/api/gen/skep/v1/rule_pb.ts";
import { WorkspaceDesired } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { aConnector } from "@skep/core/testing/connector.ts";
import { namespaceOf, socketPathOf } from "@skep/core/workspace/reach.ts";
import { tokenKey, signCall, signToken } from "@skep/kit/workspace-token.ts";
import { connectAsync } from "mqtt";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startChild } from "../../support/child.ts";
import { eventually } from "../../support/eventually.ts";
import { startWorkspaceRig, type WorkspaceRig } from "../../support/workspace-rig.ts";

let rig: WorkspaceRig;
const secretOf = (id: string): string => `sk_live_of_${id}`;

/** Makes a workspace and waits until the edge leads to it. */
async function workspace(id: string): Promise<void> {
  const connector = connectorToProto(aConnector({ id }, { secret: secretOf(id) }));
  await rig.client.workspaces.createWorkspace({ tenantId: "default", connector });
  await eventually(async () => expect(await post(`/ws/${id}/nothing`)).toMatch(/^404 Nothing is here/), 30_000);
}

beforeAll(async () => {
  rig = await startWorkspaceRig({ hosts: 2 });
  await Promise.all(["fleet", "other", "third"].map(workspace));
}, 120_000);
afterAll(() => rig?.close());

/** A client of ten lines, as the README has it. */
function client(id: string, auth: object, path = socketPathOf(id)) {
  const url = `http://127.0.0.1:${rig.edge.ports.web}${namespaceOf(id)}`;
  const socket = io(url, { path, transports: ["websocket"], auth, reconnection: false, forceNew: true });
  onTestFinished(() => void socket.close());
  return socket;
}

/** What a socket is told first: nothing once it is in, else why not. */
async function entry(socket: ReturnType<typeof client>): Promise<string> {
  const signal = AbortSignal.timeout(5_000);
  const failed = once(socket as never, "connect_error", { signal }).then(([error]) => String((error as Error).message));
  return await Promise.race([once(socket as never, "connect", { signal }).then(() => "in"), failed]);
}

/** A POST through the edge of the path just as it is written. */
async function post(path: string, bearer?: string, port = rig.edge.ports.web): Promise<string> {
  const headers = { "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const call = ask({ port, host: "127.0.0.1", path, method: "POST", headers, agent: false });
  call.end("{}");
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  return `${answer.statusCode} ${text.trim()}`;
}

describe("a workspace behind the edge", () => {
  it("is reached by a client of ten lines, which hears what a device publishes", async () => {
    const socket = client("fleet", { secret: secretOf("fleet") });
    expect(await entry(socket)).toBe("in");
    expect(await socket.emitWithAck("subscribe", "devices/+/telemetry/#")).toMatchObject({ ok: true });
    const heard = once(socket as never, "event", { signal: AbortSignal.timeout(10_000) });
    const device = await connectAsync(rig.broker.url, { clientId: "d1" });
    onTestFinished(() => device.endAsync(true));
    await device.publishAsync("fleet/devices/d1/telemetry/engine", '{"t":81}', { qos: 1 });
    expect((await heard)[0]).toMatchObject({ topic: "devices/d1/telemetry/engine", data: { t: 81 } });
  });

  it.each([
    ["no credentials", () => ({}), "There is no secret and no token"],
    ["another workspace's secret", () => ({ secret: secretOf("other") }), "The secret is not this workspace's"],
    ["another workspace's token", () => ({ token: tokenOf("other") }), "was not issued for this workspace"],
    ["an expired token", () => ({ token: tokenOf("fleet", Date.now() - 60_000) }), "The token has expired"],
    ["a token of the platform", () => ({ token: callOf("fleet") }), "no topics"],
  ])("lets no socket in with %s", async (_, auth, because) => {
    expect(await entry(client("fleet", auth()))).toContain(because);
  });

  it("leads to no namespace but the one of its path", async () => {
    // Of three workspaces on two hosts two are neighbours.
    const { workspaces } = await rig.client.workspaces.listWorkspaces({});
    const hosts = [...Map.groupBy(workspaces, one => one.location?.hostId ?? one.id).values()];
    const [mine, theirs] = hosts.find(some => some.length > 1)!.map(one => one.id) as [string, string];
    const auth = { secret: secretOf(theirs) };
    expect(await entry(client(theirs, auth, socketPathOf(mine)))).toBe(`This path leads to /ws/${mine} only.`);
    expect(await entry(client(theirs, auth))).toBe("in");
  });

  // An edge tidies a path up before it looks where it leads; what is left is judged by its token.
  const list = "/skep.v1.MessageService/ListMessages";
  it.each([
    ...["/", "/socket.io/", "/livez", "/ws", "/ws/", "/ws/fleet", `/ws/nobody${list}`, `/ws/fleet//${list}`],
    ...[`//ws/fleet${list}`, `/ws/./fleet${list}`, `/WS/fleet${list}`, `/ws/other/../fleet${list}`],
    ...[`/ws/other/%2e%2e/fleet${list}`, `/ws/other%2F..%2Ffleet${list}`, `/ws/other/..%2ffleet${list}`],
    `/ws/other%00/../fleet${list}`,
  ])("answers nothing of anybody else at %s", async path => {
    expect(await post(path, callOf("other"))).toMatch(/^(404|400|401|301|307|308)/);
  });
});

describe("the data of a workspace", () => {
  it("is shown live by `skep messages -f`, as mosquitto_pub sends it", async () => {
    const skep = rig.skep("messages", "fleet", "-f", "--device", "car-1");
    onTestFinished(() => skep.end("SIGKILL"));
    await eventually(async () => {
      await publish("fleet/devices/car-1/telemetry/engine", '{"t":1}');
      expect(skep.output()).toContain('car-1 telemetry/engine {"t":1}');
    }, 10_000);
    await publish("fleet/devices/car-2/telemetry/engine", '{"t":2}');
    await publish("fleet/devices/car-1/status", '{"t":3}');
    await eventually(() => expect(skep.output()).toContain('car-1 status {"t":3}'), 10_000);
    expect(skep.output()).not.toContain("car-2");
  });

  it("is answered at the REST paths, by page", async () => {
    for (let n = 0; n < 3; n += 1) await publish("fleet/devices/car-9/telemetry/engine", `{"n":${n}}`);
    const at = "/api/v1/workspaces/fleet/messages?device_id=car-9&page_size=2";
    const first = await eventually(async () => {
      const page = (await rest(at)) as { messages: { value: unknown }[]; nextPageToken: string };
      expect(page.messages).toHaveLength(2);
      expect(page.nextPageToken).not.toBe("");
      return page;
    });
    const rest2 = (await rest(`${at}&page_token=${first.nextPageToken}`)) as typeof first;
    expect(rest2).toMatchObject({ messages: [{ deviceId: "car-9" }], nextPageToken: "" });
    // Those of one batch have one time, and any order.
    const both = [...first.messages, ...rest2.messages].map(one => JSON.stringify(one.value));
    expect(both.toSorted()).toEqual(['{"n":0}', '{"n":1}', '{"n":2}']);
    const series =
      "/api/v1/workspaces/fleet/series?device_id=car-9&field=n&from=2020-01-01T00:00:00Z&bucket_ms=86400000";
    expect(await rest(series)).toMatchObject({ buckets: [{ count: "3", min: 0, max: 2, average: 1 }] });
    expect(await rest("/api/v1/workspaces/fleet/messages:latest")).toMatchObject({
      messages: expect.arrayContaining([expect.objectContaining({ deviceId: "car-9" })]) as unknown,
    });
    expect(await rest("/api/v1/workspaces/nobody/messages")).toMatchObject({ code: "not_found" });
  });

  it("has dead letters, which are stored once a schema reads them", async () => {
    const fields = { t: { type: "number", sources: ["t"] } };
    const document: JsonObject = { reference: "readings", format: { kind: "json" }, fields };
    await rig.client.rules.putRule({ workspaceId: "fleet", kind: RuleKind.SCHEMA, document });
    const letters = async () => (await rig.client.messages.listDeadLetters({ workspaceId: "fleet" })).letters;
    const [letter] = await eventually(async () => {
      await publish("fleet/devices/car-3/readings/x", "no JSON");
      const found = (await letters()).filter(one => one.topic.endsWith("readings/x"));
      expect(found).not.toHaveLength(0);
      return found;
    }, 10_000);
    const letterId = letter!.id;
    const { letter: whole } = await rig.client.messages.getDeadLetter({ workspaceId: "fleet", letterId });
    expect(Buffer.from(whole!.payload).toString()).toBe("no JSON");
    const replay = () => rig.client.messages.replayDeadLetter({ workspaceId: "fleet", letterId });
    await expect(replay()).rejects.toMatchObject({ reason: "LETTER_DEAD" });
    await rig.client.rules.deleteRule({ workspaceId: "fleet", kind: RuleKind.SCHEMA, reference: "readings" });
    await eventually(replay, 10_000);
    await expect(replay()).rejects.toMatchObject({ reason: "NO_SUCH_LETTER" });
    const asked = { workspaceId: "fleet", deviceId: "car-3" };
    const { messages } = await rig.client.messages.listMessages(asked);
    expect(messages.map(one => one.id)).toContain(letterId);
  });

  it("has files that go up and down through the schedulers, in pieces", async () => {
    const { files } = rig.client;
    const content = Buffer.alloc(2_500_000, "x");
    const { uploadId } = await files.beginUpload({ workspaceId: "fleet", name: "maps/n.txt", size: 2_500_000n });
    const other = { workspaceId: "other", uploadId, offset: 0n, content: content.subarray(0, 10) };
    await expect(files.writeUpload(other)).rejects.toMatchObject({ reason: "NO_UPLOAD" });
    for (let at = 0; at < content.length; at += 1_000_000) {
      const piece = Uint8Array.from(content.subarray(at, at + 1_000_000));
      await files.writeUpload({ workspaceId: "fleet", uploadId, offset: BigInt(at), content: piece });
    }
    const { file } = await files.finishUpload({ workspaceId: "fleet", uploadId });
    expect(file).toMatchObject({ name: "maps/n.txt", size: 2_500_000n });
    const read: Uint8Array[] = [];
    for await (const one of files.readFile({ workspaceId: "fleet", name: "maps/n.txt" })) read.push(one.content);
    expect(Buffer.concat(read).equals(content)).toBe(true);
    expect(await rest("/api/v1/workspaces/fleet/files?prefix=maps/")).toMatchObject({
      files: [{ name: "maps/n.txt" }],
    });
    expect(await rest("/api/v1/workspaces/other/files")).toMatchObject({ files: [] });
    expect((await files.getFileUsage({ workspaceId: "fleet" })).bytes).toBe(2_500_000n);
    await expect(files.deleteFile({ workspaceId: "fleet", name: "../other/x" })).rejects.toMatchObject({
      reason: "FILE_NAME",
    });
    await files.deleteFile({ workspaceId: "fleet", name: "maps/n.txt" });
    expect(await rest("/api/v1/workspaces/fleet/files")).toMatchObject({ files: [] });
  });

  it("opens sockets with a token that the schedulers issued, for its topics and no others", async () => {
    const { token, namespace, path } = await rig.client.workspaces.issueToken({
      ...{ workspaceId: "fleet", subject: "me", topics: ["devices/d1/#"] },
    });
    expect([namespace, path]).toEqual([namespaceOf("fleet"), socketPathOf("fleet")]);
    const socket = client("fleet", { token });
    expect(await entry(socket)).toBe("in");
    expect(await socket.emitWithAck("subscribe", "devices/d1/#")).toMatchObject({ ok: true });
    expect(await socket.emitWithAck("subscribe", "devices/d2/#")).toMatchObject({ reason: "NOT_ALLOWED" });
    expect(await entry(client("other", { token }))).toContain("was not issued for this workspace");
    const data = await post("/ws/fleet/skep.v1.MessageService/ListMessages", token);
    expect(data).toMatch(/^403 .*permission_denied.*The token is for sockets/);
  });

  it("comes with what its host has logged", async () => {
    const lines = (await all(rig.client.messages.followWorkspaceLog({ workspaceId: "fleet" }))).flatMap(
      one => one.lines,
    );
    expect(lines.map(one => one.sentence)).toContain("Workspace fleet is ACTIVE.");
    expect(JSON.stringify(lines.map(one => one.fields))).not.toContain("other");
  });
});

it("is reached nowhere once it is to stop, and again once it runs", async () => {
  await rig.client.workspaces.updateWorkspace({ workspaceId: "other", desired: WorkspaceDesired.STOPPED });
  await eventually(async () => expect(await post("/ws/other/nothing")).toBe("404 404 page not found"), 15_000);
  const asked = rig.client.messages.listMessages({ workspaceId: "other" });
  await expect(asked).rejects.toMatchObject({ code: "unavailable", reason: "WORKSPACE_AWAY" });
  for (const { eventsPort } of rig.hosts) {
    const straight = await post("/ws/other/skep.v1.MessageService/ListMessages", callOf("other"), eventsPort);
    expect(straight).toMatch(/^503 .*This host does not have the workspace other/);
  }
  await rig.client.workspaces.updateWorkspace({ workspaceId: "other", desired: WorkspaceDesired.RUN });
  await eventually(async () => expect(await post("/ws/other/nothing")).toMatch(/^404 Nothing is here/), 15_000);
});

it("is shown live by another host once its own has died, and `skep messages -f` says that it broke off", async () => {
  const skep = rig.skep("messages", "fleet", "-f", "--device", "car-7");
  onTestFinished(() => skep.end("SIGKILL"));
  await eventually(async () => {
    await publish("fleet/devices/car-7/telemetry/x", "1");
    expect(skep.output()).toContain("car-7 telemetry/x 1\n");
  }, 10_000);
  const { workspace: found } = await rig.client.workspaces.getWorkspace({ workspaceId: "fleet" });
  const owner = rig.hosts.find(one => one.child.output().includes(found!.location!.hostId));
  await owner!.child.end("SIGKILL");
  await publish("fleet/devices/car-7/telemetry/x", "2");
  await eventually(() => expect(skep.output()).toContain("car-7 telemetry/x 2\n"), 20_000);
  expect(skep.output()).toContain("the stream broke off");
  expect(skep.output().split("telemetry/x 2\n")).toHaveLength(2);
});

it("tells no secret in a log", () => {
  expect(rig.output()).not.toContain("sk_live_of");
});

/** Publishes as a device would, by the program that everybody has. */
async function publish(topic: string, payload: string): Promise<void> {
  const args = ["-h", "127.0.0.1", "-p", String(rig.broker.port), "-q", "1", "-t", topic, "-m", payload];
  const pub = startChild("mosquitto_pub", args);
  await once(pub.process, "exit");
  expect([pub.process.exitCode, pub.output()]).toEqual([0, ""]);
}

/** The answer of a REST path of the schedulers. */
async function rest(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${rig.token}` };
  return await (await fetch(`${rig.apiUrl}${path}`, { headers })).json();
}

async function all<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const one of stream) found.push(one);
  return found;
}

/** A token for sockets. */
function tokenOf(id: string, until = Date.now() + 60_000): string {
  return signToken(id, tokenKey(id, secretOf(id)), { subject: "me", topics: ["#"], from: 0, until });
}

/** What a scheduler shows to a host. */
function callOf(id: string): string {
  return signCall(id, secretOf(id), "data", "scheduler", Date.now());
}
