import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Listener } from "@skep/kit/http-listener.ts";
import { afterEach, describe, expect, it } from "vitest";
import { listen } from "./listen.ts";
import { LIMITS } from "./limits.ts";
import type { HttpRequest, HttpResponse } from "./reply.ts";

let listener: Listener | undefined;

afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function open(handle: (request: HttpRequest, response: HttpResponse) => void): Promise<number> {
  listener = await listen({ port: 0, host: "127.0.0.1", limits: LIMITS }, handle);
  return listener.port;
}

const hello = (request: HttpRequest, response: HttpResponse): void => void response.end(`HTTP/${request.httpVersion}`);

async function http2Get(port: number): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const stream = session.request({ ":path": "/" });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  return text;
}

/** Sends bytes in pieces and reads until the other side closes. */
async function raw(port: number, pieces: readonly string[]): Promise<string> {
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(10);
  }
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

describe("one port for two languages", () => {
  it("serves HTTP/1.1 and HTTP/2", async () => {
    const port = await open(hello);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("HTTP/1.1");
    expect(await http2Get(port)).toBe("HTTP/2.0");
  });

  it("understands a client that sends byte by byte, also where it begins like the other language", async () => {
    const port = await open((request, response) => void response.end(String(request.method)));
    const request = (method: string): string => `${method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    for (const method of ["GET", "PROPFIND", "PUT"]) {
      const text = request(method);
      expect(await raw(port, [...text.slice(0, 4).split(""), text.slice(4)])).toMatch(
        new RegExp(`^HTTP/1.1 200[^]*${method}`),
      );
    }
  });

  it("answers noise with 400 and goes on", async () => {
    const port = await open(hello);
    expect(await raw(port, ["\x16\x03\x01\x02\x00\x01"])).toMatch(/^HTTP\/1.1 400/);
    expect(await http2Get(port)).toBe("HTTP/2.0");
  });

  it("finishes a request that runs before it closes, and takes no new one", async () => {
    const port = await open((_, response) => void setTimeout(() => response.end("done"), 150));
    const running = fetch(`http://127.0.0.1:${port}/`).then(response => response.text());
    await sleep(50);
    await listener?.close(2_000);
    expect(await running).toBe("done");
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  it("cuts off what still runs after the grace", async () => {
    const port = await open(() => {});
    const running = fetch(`http://127.0.0.1:${port}/`).catch(() => "cut off");
    await sleep(50);
    await listener?.close(100);
    expect(await running).toBe("cut off");
  });

  it("says which port is taken", async () => {
    const port = await open(hello);
    await expect(listen({ port, host: "127.0.0.1", limits: LIMITS }, hello)).rejects.toMatchObject({
      code: "EADDRINUSE",
      port,
    });
  });
});
