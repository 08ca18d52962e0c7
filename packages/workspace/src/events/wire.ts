import type { Socket } from "socket.io";
import type { Frame } from "./encode.ts";

/** How much may wait for a client that reads slowly. */
export interface QueueSize {
  readonly packets: number;
  readonly bytes: number;
}

/** Enough for a pause of some seconds at the default limits. */
export const QUEUE_SIZE: QueueSize = { packets: 1_000, bytes: 1024 * 1024 };

/** The way to one client, which never waits and never grows without bound. */
export interface Wire {
  /** Whether something more may be sent. */
  hasRoom(): boolean;
  send(frames: readonly Frame[]): void;
}

/** What is used of a connection of Engine.IO; Socket.IO's own adapters use it in the same way. */
interface Connection {
  readonly transport: { readonly writable: boolean; readonly socket?: Below };
  readonly writeBuffer: { readonly length: number };
  write(data: string | Buffer, options: object): unknown;
}

/** What is used of a WebSocket of `ws`, and of the socket that it writes to. */
interface Below {
  readonly readyState: number;
  readonly _socket?: Raw | null;
}

interface Raw {
  readonly writableLength: number;
  write(data: Buffer): unknown;
}

/** Of a WebSocket that may send. */
const OPEN = 1;

/**
 * Makes one. What waits stands in the buffer of Engine.IO, which has no bound of its own: nothing
 * is put there that is over the bound. Where nothing waits, frames go to the socket itself: the way
 * through Engine.IO and its events is a quarter of what a delivery takes.
 */
export function createWire(socket: Socket, most: QueueSize): Wire {
  const connection = socket.conn as unknown as Connection;
  let waiting = 0;
  return {
    hasRoom: () => {
      if (connection.transport.writable) waiting = 0;
      return connection.writeBuffer.length < most.packets && waiting < most.bytes;
    },
    send: frames => {
      const raw = idleSocket(connection);
      for (const { data, wire } of frames) {
        if (raw !== undefined) raw.write(wire);
        else {
          waiting += wire.length;
          connection.write(data, { compress: false, wsPreEncodedFrame: [wire] });
        }
      }
    },
  };
}

/**
 * The socket, where nothing waits anywhere above it, so that what is written keeps its place among
 * what Engine.IO sends; `undefined` also for any other transport.
 */
function idleSocket({ transport, writeBuffer }: Connection): Raw | undefined {
  const { writable, socket: below } = transport;
  if (!writable || writeBuffer.length > 0 || below?.readyState !== OPEN) return undefined;
  return below._socket?.writableLength === 0 ? below._socket : undefined;
}
