import type { Socket } from "socket.io";
import { beforeEach, describe, expect, it } from "vitest";
import type { Frame } from "./encode.ts";
import { createWire, QUEUE_SIZE, type Wire } from "./wire.ts";

const frame = (text: string): Frame => ({ data: text, wire: Buffer.from(text) });
const raw = { writableLength: 0, write: (data: Buffer) => sent.push(`raw ${data.toString()}`) };
let sent: string[];
let connection: {
  transport: { writable: boolean; socket?: { readyState: number; _socket: typeof raw | null } };
  writeBuffer: unknown[];
  write: (data: string) => void;
};
let wire: Wire;

beforeEach(() => {
  sent = [];
  raw.writableLength = 0;
  connection = {
    transport: { writable: true, socket: { readyState: 1, _socket: raw } },
    writeBuffer: [],
    write: data => void sent.push(`engine ${data}`),
  };
  wire = createWire({ conn: connection } as unknown as Socket, QUEUE_SIZE);
});

describe("the way to a client", () => {
  it("is its socket where nothing waits, for all parts of an event", () => {
    wire.send([frame("head"), frame("part")]);
    expect(sent).toEqual(["raw head", "raw part"]);
  });

  it.each<[string, () => void]>([
    ["Engine.IO writes", () => (connection.transport.writable = false)],
    ["something waits at Engine.IO", () => connection.writeBuffer.push("an answer")],
    ["something waits at the socket", () => (raw.writableLength = 1)],
    ["the WebSocket is being closed", () => (connection.transport.socket!.readyState = 2)],
    ["the socket is gone", () => (connection.transport.socket!._socket = null)],
    ["the transport is another one", () => delete connection.transport.socket],
  ])("is Engine.IO's where %s, so that nothing overtakes", (_, happens) => {
    happens();
    wire.send([frame("event")]);
    expect(sent).toEqual(["engine event"]);
  });

  it("has no room over its bytes until all of them were written", () => {
    wire = createWire({ conn: connection } as unknown as Socket, { packets: 10, bytes: 10 });
    connection.transport.writable = false;
    wire.send([frame("0123456789")]);
    expect(wire.hasRoom()).toBe(false);
    connection.transport.writable = true;
    expect(wire.hasRoom()).toBe(true);
  });
});
