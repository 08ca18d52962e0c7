import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { createFrameReader, frame } from "./frames.ts";
import { answers, MOST_BYTES, withId, type Query } from "./wire.ts";

/** Where a resolver of the node is. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
}

/** How a question is passed on. */
export type Transport = "udp" | "tcp";

/** Passes questions on to the node's own resolvers. */
export type Forward = (bytes: Uint8Array, query: Query, transport: Transport) => Promise<Uint8Array | undefined>;

/** How long one resolver may take before the next one is asked. */
const ANSWER_MS = 1_500;

/**
 * Asks one resolver after the other. Each question goes out under an id and from a port that were
 * drawn for it alone, and takes an answer from nowhere but where it went. An answer that UDP cut is
 * handed on as it is: who wants the rest asks by TCP. `undefined` where none answered.
 */
export function createForward(upstreams: () => readonly Upstream[], answerMs: number = ANSWER_MS): Forward {
  return async (bytes, query, transport) => {
    for (const upstream of upstreams()) {
      const id = randomInt(65_536);
      const ask = transport === "udp" ? askByUdp : askByTcp;
      const answer = await ask(upstream, withId(bytes, id), AbortSignal.timeout(answerMs), one =>
        answers(one, id, query),
      );
      if (answer !== undefined) return withId(answer, query.id);
    }
    return undefined;
  };
}

type Ask = (
  upstream: Upstream,
  bytes: Uint8Array,
  late: AbortSignal,
  isAnswer: (bytes: Uint8Array) => boolean,
) => Promise<Uint8Array | undefined>;

const askByUdp: Ask = ({ address, port }, bytes, late, isAnswer) =>
  new Promise(resolve => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    let isOver = false;
    const end = (answer?: Uint8Array): void => {
      if (isOver) return;
      isOver = true;
      late.removeEventListener("abort", giveUp);
      socket.close();
      resolve(answer);
    };
    const giveUp = (): void => end();
    late.addEventListener("abort", giveUp, { once: true });
    socket.on("error", giveUp);
    // Another answer than the right one is passed over: it must not keep the right one from coming.
    socket.on("message", message => {
      if (isAnswer(message)) end(message);
    });
    // A connected socket hears nobody else.
    socket.connect(port, address, () => socket.send(bytes));
  });

const askByTcp: Ask = ({ address, port }, bytes, late, isAnswer) =>
  new Promise(resolve => {
    const socket = connect({ host: address, port });
    const end = (answer?: Uint8Array): void => {
      late.removeEventListener("abort", giveUp);
      socket.destroy();
      resolve(answer);
    };
    const giveUp = (): void => end();
    late.addEventListener("abort", giveUp, { once: true });
    socket.on("error", giveUp);
    socket.on("close", giveUp);
    const read = createFrameReader(MOST_BYTES);
    socket.on("data", data => {
      const answer = read(data).find(isAnswer);
      if (answer !== undefined) end(answer);
    });
    socket.write(frame(bytes));
  });
