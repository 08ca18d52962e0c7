import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket as Connection } from "node:net";
import type { Block } from "@skep/core/network/block.ts";
import type { NameTable } from "@skep/core/network/names.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { answer, FORWARD, indexNames, type NameIndex } from "./answer.ts";
import { createAskBounds } from "./bounds.ts";
import type { Forward, Transport } from "./forward.ts";
import { createFrameReader, frame } from "./frames.ts";
import { MOST_BYTES, RCODE, readQuery, writeRefusal, writeReply, writeTruncated, type Query } from "./wire.ts";

/** The node's answerer of names. */
export interface DnsServer {
  /** Where it listens. */
  readonly port: number;
  /** From now on names are those of the table. */
  take(table: NameTable, pool: Block): void;
  close(): Promise<void>;
}

/** What it works with. */
export interface DnsServerOptions {
  readonly address: string;
  /** 53; 0 picks a free one. */
  readonly port: number;
  readonly forward: Forward;
  readonly clock: Pick<Clock, "monotonic">;
  readonly log: Pick<Log, "warn" | "error">;
}

/** A question by TCP needs no more: its answer may be long, itself it is not. */
const MOST_QUESTION_BYTES = 4_096;
const MOST_CONNECTIONS = 256;
const MOST_CONNECTIONS_OF_ONE = 16;
const IDLE_MS = 5_000;
const NOTHING: NameIndex = indexNames({ askers: [], tenants: [] });

/** Begins to listen by UDP and TCP. @throws the system's error where it cannot. */
export async function createDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address, log } = options;
  const answering = createAnswering(options);
  const udp = createSocket({ type: "udp4", reuseAddr: false });
  udp.on("message", (message, from) => void answerDatagram(udp, message, from, answering));
  const tcp = createServer(connection => answerConnection(connection, answering));
  const port = await listen(tcp, udp, address, options.port);
  udp.on("error", error => log.error("names.udp", "Names may not be answered by UDP.", { error }));
  tcp.on("error", error => log.error("names.tcp", "Names may not be answered by TCP.", { error }));
  return {
    port,
    take: answering.take,
    close: async () => {
      answering.close();
      const closed = [once(udp, "close"), once(tcp, "close")];
      udp.close();
      tcp.close();
      await Promise.all(closed);
    },
  };
}

/** Both on one port: the system picks one for TCP, and UDP gets the same. Both listen, or none. */
async function listen(tcp: Server, udp: Socket, address: string, port: number): Promise<number> {
  try {
    tcp.listen(port, address);
    await once(tcp, "listening");
    const bound = tcp.address();
    const actual = typeof bound === "object" && bound !== null ? bound.port : port;
    udp.bind(actual, address);
    await once(udp, "listening");
    return actual;
  } catch (error) {
    tcp.close();
    udp.close();
    throw error;
  }
}

/** Answers what came from an address; `undefined` where nothing is to be sent back. */
type AnswerTo = (message: Uint8Array, from: string, transport: Transport) => Promise<Uint8Array | undefined>;

interface Answering extends Pick<DnsServer, "take"> {
  readonly answerTo: AnswerTo;
  /** Holds a connection until it ends; `false` where there are too many. */
  hold(connection: Connection, from: string): boolean;
  close(): void;
}

function createAnswering({ forward, clock }: DnsServerOptions): Answering {
  let index = NOTHING;
  let pool: Block = { base: 0, bits: 32 };
  let turn = 0;
  const bounds = createAskBounds();
  const connections = new Map<Connection, string>();

  async function answerTo(message: Uint8Array, from: string, transport: Transport): Promise<Uint8Array | undefined> {
    // Who is not here gets nothing: neither what runs here, nor a larger message than it sent.
    const asker = index.asker(from);
    if (asker === undefined || !bounds.allows(from, clock.monotonic())) return undefined;
    const query = readQuery(message);
    if (query === undefined) return undefined;
    if ("rcode" in query) return writeRefusal(query);
    const most = transport === "udp" ? query.udpBytes : MOST_BYTES;
    const reply = answer(query, asker, index, { pool, turn: (turn += 1) });
    if (reply !== FORWARD) return writeReply(query, reply, most);
    return (await passOn(message, query, from, transport)) ?? writeReply(query, FAILED, most);
  }

  async function passOn(
    message: Uint8Array,
    query: Query,
    from: string,
    transport: Transport,
  ): Promise<Uint8Array | undefined> {
    const place = bounds.begin(from);
    if (place === undefined) return undefined;
    try {
      const answered = await forward(message, query, transport);
      const isTooLong = transport === "udp" && answered !== undefined && answered.length > query.udpBytes;
      return isTooLong ? writeTruncated(query) : answered;
    } finally {
      place.done();
    }
  }

  return {
    answerTo,
    take: (table, of) => {
      index = indexNames(table);
      pool = of;
    },
    hold: (connection, from) => {
      const held = [...connections.values()].filter(one => one === from).length;
      const isKnown = index.asker(from) !== undefined;
      if (!isKnown || held >= MOST_CONNECTIONS_OF_ONE || connections.size >= MOST_CONNECTIONS) return false;
      connections.set(connection, from);
      connection.once("close", () => connections.delete(connection));
      return true;
    },
    close: () => {
      for (const connection of connections.keys()) connection.destroy();
    },
  };
}

const FAILED = { rcode: RCODE.SERVFAIL, answers: [] };

async function answerDatagram(socket: Socket, message: Uint8Array, from: RemoteInfo, { answerTo }: Answering) {
  const answered = await answerTo(message, from.address, "udp");
  // An asker that has gone meanwhile is no matter of ours.
  if (answered !== undefined) socket.send(answered, from.port, from.address, () => undefined);
}

function answerConnection(connection: Connection, { answerTo, hold }: Answering): void {
  const from = connection.remoteAddress ?? "";
  connection.on("error", () => connection.destroy());
  if (!hold(connection, from)) return void connection.destroy();
  connection.setTimeout(IDLE_MS, () => connection.destroy());
  const read = createFrameReader(MOST_QUESTION_BYTES);
  connection.on("data", data => {
    connection.pause();
    void answerAll(connection, data, read, message => answerTo(message, from, "tcp"));
  });
}

/** One after the other; nothing more is read meanwhile, so an asker that takes no answers waits. */
async function answerAll(
  connection: Connection,
  data: Uint8Array,
  read: (data: Uint8Array) => readonly Uint8Array[],
  answerOne: (message: Uint8Array) => Promise<Uint8Array | undefined>,
): Promise<void> {
  try {
    for (const message of read(data)) {
      const answered = await answerOne(message);
      if (connection.destroyed) return;
      if (answered === undefined) return void connection.destroy();
      if (!connection.write(frame(answered))) await drained(connection);
    }
    connection.resume();
  } catch {
    // A question that is longer than any is.
    connection.destroy();
  }
}

function drained(connection: Connection): Promise<void> {
  return new Promise(resolve => {
    const end = (): void => {
      connection.off("drain", end).off("close", end);
      resolve();
    };
    connection.on("drain", end).on("close", end);
  });
}
