import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createAccess, type AccessRequest } from "./access.ts";

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => Promise.all(servers.splice(0).map(one => new Promise(done => one.close(done)))));

/** A server that answers everything alike, and what it was asked. */
async function answering(status: number, answer: unknown, delayMs = 0) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", chunk => (body += String(chunk)));
    request.on("end", () => {
      const { method = "", url: path = "", headers } = request;
      seen.push({ method, path, token: headers.authorization, type: headers["content-type"], body });
      response.statusCode = status;
      setTimeout(() => response.end(typeof answer === "string" ? answer : JSON.stringify(answer)), delayMs);
    });
  });
  servers.push(server);
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const NOBODY = "http://127.0.0.1:9";

const reasonOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "done",
    (error: { code: string; reason: string }) => `${error.code} ${error.reason}`,
  );

describe("access.request", () => {
  it("sends method, query, body and token, and answers the JSON", async () => {
    const { url, seen } = await answering(200, { status: "healthy" });
    const access = createAccess({ url: `${url}/`, token: () => "t0ken" });
    expect(await access.request({ url: "/containers/fleet/status" })).toEqual({ status: "healthy" });
    const query = { period: "24h", dry: true, most: 5, none: undefined, "a b": "ä&" };
    await access.request({ url: "/containers/fleet/metrics", query });
    await access.request({ url: "/x?a=1", method: "PATCH", body: { a: 1 }, query: { b: 2 } });
    expect(seen).toEqual([
      { method: "GET", path: "/containers/fleet/status", token: "Bearer t0ken", type: undefined, body: "" },
      expect.objectContaining({ path: "/containers/fleet/metrics?period=24h&dry=true&most=5&a%20b=%C3%A4%26" }),
      { method: "PATCH", path: "/x?a=1&b=2", token: "Bearer t0ken", type: "application/json", body: '{"a":1}' },
    ]);
  });

  it("fails with code, reason and issues of the platform", async () => {
    const issues = [{ path: "database.pool_size", problem: "is 0", advice: "use 1" }];
    const detail = { "@type": "skep.v1.ErrorDetail", reason: "INVALID", advice: "correct it", issues, later: 1 };
    const { url } = await answering(400, { code: "invalid_argument", message: "It is wrong.", details: [detail] });
    const failed = createAccess({ url }).request({ url: "/x" });
    await expect(failed).rejects.toMatchObject({
      ...{ code: "invalid_argument", reason: "INVALID", message: "It is wrong.", issues },
      details: { advice: "correct it" },
    });
  });

  it.each<[string, number, unknown]>([
    ["not_found NOT_FOUND", 404, { code: "not_found", message: "There is nothing." }],
    ["internal INTERNAL", 500, {}],
    ["internal UNHEARD_OF", 500, { code: "unheard_of" }],
    ["internal BAD_ANSWER", 200, "<html>"],
    ["done", 204, ""],
  ])("makes %s of an answer of status %i", async (reason, status, answer) => {
    const { url } = await answering(status, answer);
    expect(await reasonOf(createAccess({ url }).request({ url: "/x" }))).toBe(reason);
  });

  it.each(["http://evil.example/x", "//evil.example/x", "/\\evil.example", "x", ""])(
    "takes the token to no other server: %j",
    async path => {
      const { url, seen } = await answering(200, {});
      const access = createAccess({ url, token: "t0ken" });
      expect(await reasonOf(access.request({ url: path }))).toBe("invalid_argument BAD_PATH");
      expect(seen).toEqual([]);
    },
  );

  it("goes on with the next server, unless a repetition could do something twice", async () => {
    const { url, seen } = await answering(200, {});
    const access = createAccess({ url: `${NOBODY}, ${url}` });
    const reason = (request: Partial<AccessRequest>) => reasonOf(access.request({ url: "/x", ...request }));
    expect(await reason({})).toBe("done");
    expect(await reason({ method: "POST", body: { idempotencyKey: "k" } })).toBe("done");
    expect(seen).toHaveLength(2);
    expect(await reason({ method: "POST", body: { idempotencyKey: "" } })).toBe("unavailable NO_SERVER_ANSWERS");
    expect(await reason({ method: "POST" })).toBe("unavailable NO_SERVER_ANSWERS");
    expect(seen).toHaveLength(2);
    const stopping = await answering(503, { code: "unavailable", message: "It stops." });
    expect(await reasonOf(createAccess({ url: `${stopping.url},${url}` }).request({ url: "/x" }))).toBe("done");
    expect(await reasonOf(createAccess({ url: stopping.url }).request({ url: "/x" }))).toBe("unavailable UNAVAILABLE");
    await expect(createAccess({ url: NOBODY }).request({ url: "/x" })).rejects.toThrow(NOBODY);
  });

  it("gives up after its time", async () => {
    const { url } = await answering(200, {}, 2_000);
    const late = createAccess({ url, timeoutMs: 20 }).request({ url: "/x" });
    expect(await reasonOf(late)).toBe("deadline_exceeded DEADLINE_EXCEEDED");
  });

  it("takes another fetch, as a browser's page may have", async () => {
    const asked: string[] = [];
    const fetched = async (address: string) => {
      asked.push(address);
      return { ok: true, status: 200, text: async () => "{}" };
    };
    await createAccess({ url: "https://skep.example", fetch: fetched }).request({ url: "/x" });
    expect(asked).toEqual(["https://skep.example/x"]);
    expect(() => createAccess({ url: " , " })).toThrow("No server is named");
  });
});
