import { once } from "node:events";
import { request as ask } from "node:http";
import { connect } from "node:net";
import { signCall, signToken, tokenKey } from "@skep/kit/workspace-token.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLock } from "../events/token.ts";
import { listenForHealth } from "../testing/health-listener.ts";
import type { DataListener } from "./listen.ts";
import { createServed, type ServedWorkspace, type ServedWorkspaces } from "./served.ts";

const now = 1_700_000_000_000;
const CHECK = "/grpc.health.v1.Health/Check";
const secretOf = (id: string): string => `the secret of ${id}`;
const token = (id: string, may: "data" | "peer" = "data", at = now): string =>
  signCall(id, secretOf(id), may, "scheduler", at);

let workspaces: ServedWorkspaces;
let listener: DataListener;
let owned: Set<string>;
let upgraded: string[];
let called: string[];
const takeOut = new Map<string, () => void>();

function serve(id: string): void {
  const lock = createLock(id, secretOf(id), () => now);
  const served = { id, epoch: 1, lock, mayRead: () => owned.has(id) } as ServedWorkspace;
  takeOut.set(id, workspaces.add(served));
}

beforeEach(async () => {
  [workspaces, owned, upgraded, called] = [createServed(), new Set(["fleet", "other"]), [], []];
  listener = await listenForHealth(workspaces, called);
  listener.sockets.on("upgrade", (request, socket) => {
    upgraded.push(`${listener.cameFor(request)} ${request.url}`);
    socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });
  serve("fleet");
  serve("other");
});
afterEach(() => listener.close());

/** A POST of the path just as it is written: `fetch` would tidy it up. */
async function post(path: string, bearer?: string, body = "{}"): Promise<string> {
  const headers = {
    "content-type": "application/json",
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
  };
  const call = ask({ port: listener.port, host: "127.0.0.1", path, method: "POST", headers, agent: false });
  // One that is refused by its head is not read to its end.
  call.on("error", () => undefined);
  call.end(body);
  const [answer] = (await once(call, "response")) as [import("node:http").IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += String(chunk);
  const { code, message } = text.startsWith("{") ? (JSON.parse(text) as { code?: string; message?: string }) : {};
  return `${answer.statusCode} ${code === undefined ? text.trim() : `${code}: ${message}`}`;
}

async function upgrade(path: string): Promise<string> {
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text.split("\r\n", 1)[0]!;
}

describe("a call of a workspace", () => {
  it("reaches the workspace of its path with the platform's token", async () => {
    expect(await post(`/ws/fleet${CHECK}`, token("fleet"))).toBe('200 {"status":"SERVING"}');
    expect(called).toEqual(["fleet"]);
  });

  it.each([
    ["no token", undefined, "401 unauthenticated: Send the header"],
    [
      "a token of another workspace",
      token("other"),
      "401 unauthenticated: The token was not issued for this workspace",
    ],
    ["an expired token", token("fleet", "data", now - 60_000), "401 unauthenticated: The token has expired"],
    ["nonsense", "abc", "401 unauthenticated: The token was not issued for this workspace"],
    ["a host's token", token("fleet", "peer"), "403 permission_denied: The token is not for grpc.health"],
    [
      "a token of sockets",
      signToken("fleet", tokenKey("fleet", secretOf("fleet")), {
        subject: "u",
        topics: ["#"],
        from: now,
        until: now + 9e5,
      }),
      "403 permission_denied: The token is for sockets",
    ],
  ])("is refused with %s", async (_, bearer, answer) => {
    expect(await post(`/ws/fleet${CHECK}`, bearer)).toContain(answer);
    expect(called).toEqual([]);
  });

  it("is refused where it has more than 20 MiB, before it reaches the workspace", async () => {
    const large = JSON.stringify({ service: "x".repeat(20 * 1024 * 1024) });
    expect(await post(`/ws/fleet${CHECK}`, token("fleet"), large)).toContain("429 resource_exhausted");
    expect(called).toEqual([]);
    expect(await post(`/ws/fleet${CHECK}`, token("fleet"), large.slice(0, 1_000) + '"}')).toContain("200");
  });

  it("is refused by a host that does not have the workspace, or lost it a moment ago", async () => {
    expect(await post(`/ws/nobody${CHECK}`, token("nobody"))).toContain("503 unavailable: This host does not have");
    owned.delete("fleet");
    expect(await post(`/ws/fleet${CHECK}`, token("fleet"))).toContain("503 unavailable: This host does not have");
    owned.add("fleet");
    takeOut.get("fleet")!();
    expect(await post(`/ws/fleet${CHECK}`, token("fleet"))).toContain("503 unavailable: This host does not have");
    expect(called).toEqual([]);
  });

  it.each([
    ...["/", CHECK, `/ws/fleet/../other${CHECK}`, `/ws/fleet//${CHECK}`, `//ws/fleet${CHECK}`, "/ws/fleet/"],
    ...[`/ws/fleet%2F..%2Fother${CHECK}`, `/ws/fleet/%2e%2e/other${CHECK}`, `/ws/fleet/./x${CHECK}`, "/livez"],
    ...["/ws/fleet/grpc.health.v1.Health/Nothing", `/WS/fleet${CHECK}`, `/ws/fleet/ws/other${CHECK}`],
  ])("is nothing at %s", async path => {
    expect(await post(path, token("fleet"))).toBe("404 Nothing is here: a workspace is below /ws/<workspace>/.");
    expect(called).toEqual([]);
  });
});

describe("a socket", () => {
  it("comes in below the path of a workspace that the host has", async () => {
    expect(await upgrade("/ws/fleet/socket.io/?EIO=4&transport=websocket")).toContain("101");
    expect(upgraded).toEqual(["fleet /socket.io/?EIO=4&transport=websocket"]);
  });

  it.each([
    ["/ws/nobody/socket.io/?EIO=4", "503 Service Unavailable"],
    ["/socket.io/?EIO=4", "404 Not Found"],
    ["/ws/fleet/../other/socket.io/", "404 Not Found"],
    ["/ws/fleet%2fsocket.io/", "404 Not Found"],
    ["/ws/fleet//socket.io/", "404 Not Found"],
    ["/ws/fleet/socket.io.x/", "404 Not Found"],
    [`/ws/fleet${CHECK}`, "404 Not Found"],
  ])("does not at %s", async (path, status) => {
    expect(await upgrade(path)).toBe(`HTTP/1.1 ${status}`);
    expect(upgraded).toEqual([]);
  });
});

it("keeps the newer entry of a workspace as the older one goes", () => {
  const before = takeOut.get("fleet")!;
  serve("fleet");
  before();
  expect(workspaces.get("fleet")).toBeDefined();
});
