import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { generate, parser, type Packet } from "mqtt-packet";

const V5 = { protocolVersion: 5 } as const;

/** What a broker says to a packet. */
export type Answer = (packet: Packet, say: (answer: Packet) => void, socket: Socket) => void;

/** Takes everybody in, and grants what is asked for at QoS 1. */
export const well: Answer = (packet, say) => {
  if (packet.cmd === "connect") say({ cmd: "connack", reasonCode: 0, sessionPresent: false });
  if (packet.cmd === "subscribe") say({ cmd: "suback", messageId: packet.messageId!, granted: [1] });
};

/** A broker of a test's own. */
export interface FakeBroker {
  readonly port: number;
  readonly heard: Packet[];
  close(): Promise<void>;
}

/** Says as a broker what a real one says seldom. */
export async function startFakeBroker(answer: Answer): Promise<FakeBroker> {
  const heard: Packet[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer(socket => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    const parse = parser(V5);
    parse.on("packet", packet => {
      heard.push(packet);
      answer(packet, one => socket.write(generate(one, V5)), socket);
    });
    socket.on("data", data => parse.parse(data));
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => void server.close(() => resolve()));
    },
  };
}
