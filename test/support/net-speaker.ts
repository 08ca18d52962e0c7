import { createSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";

/**
 * A program in a network namespace: it answers on ports, and speaks to others when it is told by a
 * line of JSON. `node net-speaker.ts NAME tcp:80 tcp6:80 udp:53:169.254.1.1 …`
 */

/** What it may be told to do. */
export type Order =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly from?: string }
  | {
      readonly kind: "udp";
      readonly host: string;
      readonly port: number;
      readonly from?: string;
      readonly fromPort?: number;
      /** What is said, in base64. */
      readonly payload?: string;
    }
  /** Tells who was heard so far by UDP: a speaker under a wrong address gets no answer. */
  | { readonly kind: "heard" }
  /** Opens a connection that stays, by a name. */
  | { readonly kind: "open"; readonly name: string; readonly host: string; readonly port: number }
  /** Says something on it, and waits for the echo. */
  | { readonly kind: "say"; readonly name: string };

const PATIENCE_MS = 1_500;
const [name = "", ...ports] = process.argv.slice(2);
const heard = new Set<string>();
const held = new Map<string, Socket>();
/** By what a connection ended, which may be before anybody speaks on it again. */
const ends = new WeakMap<Socket, string>();

await Promise.all(ports.map(listen));
process.stdout.write("listening\n");
createInterface({ input: process.stdin }).on("line", line => {
  const { id, ...order } = JSON.parse(line) as Order & { readonly id: number };
  void obey(order as Order).then(answer => process.stdout.write(`${JSON.stringify({ id, answer })}\n`));
});
process.stdin.on("end", () => process.exit(0));

function greeting(address: string | undefined): string {
  return `${name} saw ${address}`;
}

function listen(text: string): Promise<void> {
  const [protocol, port, address = "0.0.0.0"] = text.split(":");
  return new Promise(resolve => {
    if (protocol === "udp") {
      const socket = createSocket("udp4");
      socket.on(
        "message",
        (_, from) => heard.add(from.address) && socket.send(greeting(from.address), from.port, from.address),
      );
      socket.bind(Number(port), address, () => resolve());
    } else {
      const server = createServer(socket => {
        socket.on("error", () => undefined).write(greeting(socket.remoteAddress));
        socket.on("data", data => socket.write(data));
      });
      const ipv6Only = protocol === "tcp6";
      server.listen({ port: Number(port), host: ipv6Only ? "::" : address, ipv6Only }, () => resolve());
    }
  });
}

function obey(order: Order): Promise<string> {
  if (order.kind === "udp") return askByUdp(order);
  if (order.kind === "heard") return Promise.resolve([...heard].toSorted().join(" "));
  if (order.kind === "say") return say(order.name);
  const from = order.kind === "tcp" && order.from !== undefined ? { localAddress: order.from } : {};
  const socket = connect({ host: order.host, port: order.port, ...from });
  return firstWord(socket).then(answer => {
    if (order.kind === "open") held.set(order.name, socket);
    else socket.destroy();
    return answer;
  });
}

function firstWord(socket: Socket): Promise<string> {
  return new Promise(resolve => {
    const timer = setTimeout(() => (socket.destroy(), resolve("silence")), PATIENCE_MS);
    const end = (answer: string): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    socket.once("data", data => end(data.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => {
      ends.set(socket, error.code ?? "error");
      end(error.code ?? "error");
    });
  });
}

function say(which: string): Promise<string> {
  const socket = held.get(which);
  if (socket === undefined) return Promise.resolve("closed");
  if (socket.destroyed) return Promise.resolve(ends.get(socket) ?? "closed");
  const answer = firstWord(socket);
  socket.write("echo");
  return answer;
}

function askByUdp({ host, port, from, fromPort = 0, payload = "" }: Extract<Order, { kind: "udp" }>): Promise<string> {
  return new Promise(resolve => {
    const socket = createSocket("udp4");
    const timer = setTimeout(() => end("silence"), PATIENCE_MS);
    const end = (answer: string): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    socket.on("message", data => end(data.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "error"));
    socket.bind(fromPort, from, () => socket.connect(port, host, () => socket.send(Buffer.from(payload, "base64"))));
  });
}
