import { connect, type Socket } from "node:net";

/**
 * Sockets that count what they are told, in a process of their own. They speak just enough of
 * WebSocket and Socket.IO: a real client takes more processor time for an event than the server.
 */

/** What the process is asked. */
export type SocketsRequest =
  | { readonly open: string; readonly port: number; readonly hellos: readonly (readonly string[])[] }
  | { readonly count: string };

const opened = new Map<string, Counter[]>();

interface Counter {
  told: number;
}

process.on("message", (request: SocketsRequest) => {
  if ("count" in request) {
    const told = (opened.get(request.count) ?? []).map(counter => counter.told);
    process.send?.({ told: told.reduce((sum, one) => sum + one, 0), least: Math.min(...told) });
  } else void openAll(request);
});

async function openAll(request: Extract<SocketsRequest, { readonly open: string }>): Promise<void> {
  const counters: Counter[] = [];
  opened.set(request.open, counters);
  // One after the other: a server bounds how many come at once.
  for (const hello of request.hellos) counters.push(await openOne(request.port, hello));
  process.send?.({ opened: counters.length });
}

/** Opens one and says hello: each line is sent once the one before is answered. */
function openOne(port: number, hello: readonly string[]): Promise<Counter> {
  const counter: Counter = { told: 0 };
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  socket.write(
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n",
  );
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    const waiting = [...hello];
    let isUp = false;
    let rest = Buffer.alloc(0);
    socket.on("data", chunk => {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!isUp) {
        const end = rest.indexOf("\r\n\r\n");
        if (end < 0) return;
        isUp = true;
        rest = rest.subarray(end + 4);
      }
      rest = rest.subarray(
        eachFrame(rest, from => {
          if (rest[from] === PING) return send(socket, "3");
          if (rest[from] === MESSAGE && rest[from + 1] === EVENT) return void counter.told++;
          const next = waiting.shift();
          if (next === undefined) resolve(counter);
          else send(socket, next);
          return undefined;
        }),
      );
    });
  });
}

const [PING, MESSAGE, EVENT] = ["2".charCodeAt(0), "4".charCodeAt(0), "2".charCodeAt(0)];

/** Visits the payload of each whole frame; answers where the first part of one begins. */
function eachFrame(bytes: Buffer, visit: (from: number) => void): number {
  let at = 0;
  while (at + 2 <= bytes.length) {
    const short = (bytes[at + 1] ?? 0) & 0x7f;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (at + head > bytes.length) break;
    const length = head === 2 ? short : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (at + head + length > bytes.length) break;
    visit(at + head);
    at += head + length;
  }
  return at;
}

/** Sends a text frame; clients have to mask theirs, with zeroes as well as with anything. */
function send(socket: Socket, text: string): void {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126
      ? Buffer.from([0x81, 0x80 | payload.length])
      : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 0xff]);
  socket.write(Buffer.concat([head, Buffer.alloc(4), payload]));
}
