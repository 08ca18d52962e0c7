import { once } from "node:events";
import { request as ask, type IncomingMessage } from "node:http";
import { connectorToProto } from "@skep/api/codec/connector.ts";
import { WorkspaceDesired } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { aConnector } from "@skep/core/testing/connector.ts";
import { namespaceOf, socketPathOf } from "@skep/core/workspace/reach.ts";
import { tokenKey, signCall, signToken } from "@skep/kit/workspace-token.ts";
import { connectAsync } from "mqtt";
import { io } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
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
  rig = await startWorkspaceRig();
  await Promise.all([workspace("fleet"), workspace("other")]);
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
async function post(path: string, bearer?: string, host = "any.example"): Promise<string> {
  const headers = { host, "content-type": "application/json", ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const call = ask({ port: rig.edge.ports.web, host: "127.0.0.1", path, method: "POST", headers, agent: false });
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
    const auth = { secret: secretOf("other") };
    expect(await entry(client("other", auth, socketPathOf("fleet")))).toBe("This path leads to /ws/fleet only.");
    expect(await entry(client("other", auth))).toBe("in");
  });

  const list = "/skep.v1.MessageService/ListMessages";
  it.each([
    ...["/", "/socket.io/", "/livez", "/ws", "/ws/", "/ws/fleet", `/ws/nobody${list}`, `/ws/fleet/../other${list}`],
    ...[`/ws/fleet/%2e%2e/other${list}`, `/ws/fleet%2F..%2Fother${list}`, `/ws/fleet//${list}`, `//ws/fleet${list}`],
    ...[`/ws/fleet/..%2fother${list}`, `/ws/./fleet${list}`, `/WS/fleet${list}`],
  ])("answers nothing of anybody at %s", async path => {
    const answer = await post(path, callOf("other"));
    expect(answer).toMatch(/^(404|400|401|307|301|308)/);
    expect(answer).not.toContain("messages");
  });
});

it("is reached nowhere once it is to stop, and again once it runs", async () => {
  await rig.client.workspaces.updateWorkspace({ workspaceId: "other", desired: WorkspaceDesired.STOPPED });
  await eventually(async () => expect(await post("/ws/other/nothing")).toBe("404 404 page not found"), 15_000);
  await rig.client.workspaces.updateWorkspace({ workspaceId: "other", desired: WorkspaceDesired.RUN });
  await eventually(async () => expect(await post("/ws/other/nothing")).toMatch(/^404 Nothing is here/), 15_000);
});

it("tells no secret in a log", () => {
  expect(rig.output()).not.toContain("sk_live_of");
});

/** A token for sockets. */
function tokenOf(id: string, until = Date.now() + 60_000): string {
  return signToken(id, tokenKey(id, secretOf(id)), { subject: "me", topics: ["#"], from: 0, until });
}

/** What a scheduler shows to a host. */
function callOf(id: string): string {
  return signCall(id, secretOf(id), "data", "scheduler", Date.now());
}
