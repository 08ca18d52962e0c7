import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Log } from "./log.ts";

/** How many connections a port holds at once. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

/** Where to listen; `port` 0 takes a free one. */
export interface PortOptions {
  readonly port: number;
  readonly host?: string;
  /** Told when connections are refused, at most once a minute. */
  readonly log?: Log;
}

/** A port that accepts connections. */
export interface OpenPort {
  readonly port: number;
  /** The connections of now. */
  readonly sockets: ReadonlySet<Socket>;
  /**
   * Accepts no more, waits until all connections are gone, and cuts off what is left after
   * `graceMs`.
   */
  close(graceMs: number, nudge: () => void): Promise<void>;
}

const REFUSALS_TOLD_EVERY_MS = 60_000;

/**
 * Opens a port and hands each connection on. A connection above a limit is closed at once.
 * @throws the system's error where the port cannot be had.
 */
export async function openPort(
  options: PortOptions,
  limits: ConnectionLimits,
  accept: (socket: Socket) => void,
): Promise<OpenPort> {
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  const tellRefusal = createRefusalTeller(options.log);
  const server = createServer(socket => {
    const address = addressKey(socket.remoteAddress ?? "");
    const held = perAddress.get(address) ?? 0;
    if (sockets.size >= limits.connections || held >= limits.connectionsPerAddress) {
      tellRefusal(address, sockets.size, held);
      return void socket.destroy();
    }
    sockets.add(socket);
    perAddress.set(address, held + 1);
    socket.once("close", () => {
      sockets.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
    socket.on("error", () => socket.destroy());
    accept(socket);
  });
  await start(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    close: async (graceMs, nudge) => {
      server.close();
      await gone(sockets, graceMs, nudge);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * What connections and requests of one sender are counted under: its address, or the 64 bits of its
 * network for IPv6, because one sender holds all of that.
 */
export function addressKey(address: string): string {
  const plain = address.replace(/^::ffff:/, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array.from({ length: missing }, () => "0")];
  return `${all.slice(0, 4).join(":")}::/64`;
}

function createRefusalTeller(log: Log | undefined): (address: string, connections: number, held: number) => void {
  let nextAt = 0;
  return (address, connections, ofAddress) => {
    if (log === undefined || performance.now() < nextAt) return;
    nextAt = performance.now() + REFUSALS_TOLD_EVERY_MS;
    log.warn("connection.refused", `A connection of ${address} was refused: too many are open.`, {
      connections,
      ofAddress,
    });
  };
}

function start(server: Server, { port, host }: PortOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function gone(sockets: ReadonlySet<Socket>, graceMs: number, nudge: () => void): Promise<void> {
  const until = performance.now() + graceMs;
  nudge();
  while (sockets.size > 0 && performance.now() < until) {
    await new Promise(resolve => setTimeout(resolve, 20));
    nudge();
  }
}
