import { once } from "node:events";
import { createServer, request as ask, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { signCall } from "@skep/kit/workspace-token.ts";
import { createHttpPost, guardedLookup } from "@skep/workspace";
import type { DataListener } from "@skep/workspace/data/listen.ts";
import { createServed, type ServedWorkspace } from "@skep/workspace/data/served.ts";
import { createLock } from "@skep/workspace/events/token.ts";
import { listenForHealth } from "@skep/workspace/testing/health-listener.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeAttempts } from "../../support/hostile.ts";
import { LEADS, PATHS, secretOf, TOKENS } from "./hostile/reach.ts";

/**
 * What a hostile tenant shows at the port of a host, and where its webhooks lead: each attempt with
 * its answer. No call reaches a workspace, and no connection the platform's own network.
 */
const called: string[] = [];
let listener: DataListener;

beforeAll(async () => {
  const workspaces = createServed();
  for (const id of ["mine", "neighbour"]) {
    const lock = createLock(id, secretOf(id), () => Date.now());
    workspaces.add({ id, epoch: 1, lock, mayRead: () => true } as ServedWorkspace);
  }
  listener = await listenForHealth(workspaces, called);
});
afterAll(() => listener.close());

/** The path goes as it is written: `fetch` would tidy it up. */
async function post(path: string, token: string): Promise<string> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const call = ask({ port: listener.port, host: "127.0.0.1", path, method: "POST", headers, agent: false });
  call.end("{}");
  const [answer] = (await once(call, "response")) as [IncomingMessage];
  const body = await text(answer);
  const details = body.startsWith("{") ? ((JSON.parse(body) as { details?: { value?: string }[] }).details ?? []) : [];
  const told = details.map(one => Buffer.from(one.value ?? "", "base64").toString("latin1"));
  return [answer.statusCode, body, ...told].join(" ");
}

async function uncalled(): Promise<void> {
  expect(called).toEqual([]);
  await Promise.resolve();
}

const CHECK = "/ws/neighbour/grpc.health.v1.Health/Check";
describeAttempts("tokens", TOKENS, token => post(CHECK, token), uncalled);
describeAttempts(
  "paths",
  PATHS,
  path => post(path, signCall("mine", secretOf("mine"), "data", "test", Date.now())),
  uncalled,
);

describeAttempts("where a webhook leads", LEADS, async addresses => {
  const found = addresses.map(address => ({ address, family: address.includes(":") ? 6 : 4 }));
  const http = createHttpPost(guardedLookup([], (_host, _options, done) => done(null, found)));
  const url = new URL("https://hooks.example.com/in");
  const posting = http.post({ url, headers: {}, body: Buffer.from("{}") }, AbortSignal.timeout(5_000));
  const answer = await posting.then(String, (error: unknown) => String(error));
  http.close();
  return answer;
});

describe("where a webhook leads in turn", () => {
  it("first outside, then inside (DNS rebinding): what is connected to is what was judged", async () => {
    const asked: string[] = [];
    const answers = ["93.184.216.34", "127.0.0.1"];
    const lookup = guardedLookup([], (host, _options, done) => {
      asked.push(host);
      done(null, [{ address: answers[asked.length - 1] ?? "127.0.0.1", family: 4 }]);
    });
    const resolve = (): Promise<string> =>
      new Promise(done =>
        lookup("hooks.example.com", {}, (error, address) =>
          done(error === null ? JSON.stringify(address) : error.message),
        ),
      );
    expect(await resolve()).toBe('"93.184.216.34"');
    expect(await resolve()).toContain("leads into the platform's own network");
  });

  it("a good address among bad ones: the good one only", async () => {
    const both = [
      { address: "127.0.0.1", family: 4 },
      { address: "93.184.216.34", family: 4 },
    ];
    const lookup = guardedLookup([], (_host, _options, done) => done(null, both));
    const found = await new Promise(done => lookup("a.example", { all: true }, (_, all) => done(all)));
    expect(found).toEqual([both[1]]);
  });

  it("a redirect into the platform's network: it is not followed", async () => {
    const inside: string[] = [];
    const server = createServer((request, response) => {
      inside.push(request.url ?? "");
      response.writeHead(307, { location: `http://127.0.0.1:${port}/latest/meta-data` }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const http = createHttpPost(
      guardedLookup(["hooks.test"], (_h, _o, done) => done(null, [{ address: "127.0.0.1", family: 4 }])),
    );
    const url = new URL(`http://hooks.test:${port}/in`);
    expect(await http.post({ url, headers: {}, body: Buffer.from("{}") }, AbortSignal.timeout(5_000))).toBe(307);
    expect(inside).toEqual(["/in"]);
    http.close();
    server.close();
  });
});
