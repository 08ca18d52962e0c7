import { Agent } from "node:http";
import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

/** Makes a transport to a process of the platform that serves Connect at an address. */
export type Dial = (baseUrl: string) => Transport;

/** Connections that wait for the next call, to each of the processes. */
const IDLE = 8;

/** Dials over HTTP/1.1; connections are used again, and none is kept for one that is gone. */
export function createDial(): Dial {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: IDLE });
  return baseUrl =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: true, nodeOptions: { agent } });
}
