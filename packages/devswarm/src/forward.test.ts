import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Fleet } from "./fleet.ts";
import { forward } from "./forward.ts";

let server: Server;
let port = 0;
beforeEach(async () => {
  // Says back what it was told, once the other side has said all.
  server = createServer({ allowHalfOpen: true }, socket => {
    const heard: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => heard.push(chunk)).on("end", () => socket.end(Buffer.concat(heard)));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterEach(() => new Promise(resolve => server.close(resolve)));

const fleet: Fleet = {
  name: "test",
  subnet: "127.0.0.0/8",
  hostAddress: "127.0.0.1",
  registry: "127.0.0.1:5000",
  nodes: [{ name: "node-1", address: "127.0.0.1", socket: "/nowhere", role: "manager", swarmId: "x" }],
};

function talk(to: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const heard: Buffer[] = [];
    const socket = connect({ port: to, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("data", (chunk: Buffer) => heard.push(chunk)).on("error", reject);
    socket.on("close", () => resolve(Buffer.concat(heard).toString()));
    socket.on("end", () => socket.destroy());
    socket.end(text);
  });
}

describe("a forward", () => {
  test("carries both directions, also after one side has said all", async () => {
    const opened = await forward(fleet, { port: 0 }, { node: "node-1", port });
    const long = "x".repeat(300_000);
    expect(await Promise.all([talk(opened.port, "hello"), talk(opened.port, long)])).toEqual(["hello", long]);
    await opened.close();
    await expect(talk(opened.port, "hello")).rejects.toThrow(/ECONNREFUSED/);
  });

  test("drops the connection when nobody listens on the node", async () => {
    const opened = await forward(fleet, { port: 0 }, { node: "node-1", port: 1 });
    await expect(
      talk(opened.port, "hello").then(
        heard => heard,
        () => "",
      ),
    ).resolves.toBe("");
    await opened.close();
  });

  test("rejects when its own port is taken, or the node unknown", async () => {
    await expect(forward(fleet, { port }, { node: "node-1", port: 1 })).rejects.toThrow(/EADDRINUSE/);
    await expect(forward(fleet, { port: 0 }, { node: "node-2", port: 1 })).rejects.toThrow(/has no node "node-2"/);
  });
});
