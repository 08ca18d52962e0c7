import { EventEmitter } from "node:events";
import type { Socket } from "socket.io";

/** A socket without a network: what it was told, and what it asks. */
export interface FakeSocket {
  readonly socket: Socket;
  /** What went to its connection as events of the workspace. */
  readonly written: string[];
  /** What it was told by name, such as `lost` and `refused`. */
  readonly told: { readonly name: string; readonly data: unknown }[];
  /** What waits in its connection; as long as something does, it is not writable. */
  readonly waiting: unknown[];
  /** Sends a request; answers what it is answered with, or `undefined` where that never comes. */
  ask(name: string, value?: unknown): unknown;
  leave(): void;
}

let number = 0;

/** Makes one that is connected. */
export function fakeSocket(more: { readonly recovered?: boolean; readonly data?: object } = {}): FakeSocket {
  number += 1;
  const handlers = new EventEmitter();
  const written: string[] = [];
  const told: { name: string; data: unknown }[] = [];
  const waiting: unknown[] = [];
  const guards: ((packet: unknown[], next: () => void) => void)[] = [];
  const conn = {
    transport: {
      get writable() {
        return waiting.length === 0;
      },
    },
    writeBuffer: waiting,
    write: (data: string) => written.push(data),
  };
  const socket = {
    id: `s${number}`,
    conn,
    recovered: false,
    data: {},
    handshake: { auth: {} },
    on: (name: string, handle: (...args: unknown[]) => void) => handlers.on(name, handle),
    once: (name: string, handle: (...args: unknown[]) => void) => handlers.once(name, handle),
    use: (guard: (packet: unknown[], next: () => void) => void) => guards.push(guard),
    emit: (name: string, data: unknown) => told.push({ name, data }),
    ...more,
  };
  return {
    socket: socket as unknown as Socket,
    written,
    told,
    waiting,
    ask: (name, value) => {
      let answered: unknown;
      const packet = [name, value, (answer: unknown) => (answered = answer)];
      guards[0]?.(packet, () => handlers.emit(name, ...packet.slice(1)));
      return answered;
    },
    leave: () => void handlers.emit("disconnect"),
  };
}
