import { connect, type Socket } from "node:net";

// Devices that publish as fast as a broker takes it: `PORT COUNT SECONDS TOPIC`, where TOPIC has a
// `%` for the device; the first of both bounds ends it. QoS 1 over MQTT 3.1.1; so many messages are
// under way without a PUBACK on each connection. Says in the end how many the broker
// took, when it began, and how much processor time it took, in us.
const CONNECTIONS = 10;
const WINDOW = 200;
const DEVICES = 100;
const PUBACK_BYTES = 4;
/** More than a frame has. */
const MOST_BYTES = 256;
const CONNECT = 0x10;
const PUBLISH_QOS1 = 0x32;
const DISCONNECT = 0xe0;

const [port = "", count = "", seconds = "", topic = ""] = process.argv.slice(2);
const each = Math.ceil(Number(count) / CONNECTIONS);
const names = Array.from({ length: DEVICES }, (_, index) => text(topic.replace("%", `d${index}`)));
const begunAt = Date.now();
const endsAt = performance.now() + Number(seconds) * 1_000;
const taken = await Promise.all(
  Array.from({ length: CONNECTIONS }, (_, index) =>
    publish(index, index * each, Math.min(Number(count), (index + 1) * each)),
  ),
);

const { user, system } = process.cpuUsage();
console.log(`${taken.reduce((all, one) => all + one, 0)} ${begunAt} ${user + system}`);

/** Publishes the numbers from `first` to before `most`. Answers how many of them. */
async function publish(index: number, first: number, most: number): Promise<number> {
  const socket = await connected(`p13-${index}-${process.pid}`);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let sent = first;
  let acknowledged = first;
  let rest = 0;
  function send(): void {
    const until = performance.now() > endsAt ? sent : Math.min(most, acknowledged + WINDOW);
    if (sent >= until) return;
    const frames = Buffer.allocUnsafe((until - sent) * MOST_BYTES);
    let end = 0;
    for (; sent < until; sent += 1) end = writeFrame(frames, end, sent, first);
    socket.write(frames.subarray(0, end));
  }
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("the broker closed the connection")));
  socket.on("data", data => {
    rest += data.length;
    acknowledged += Math.floor(rest / PUBACK_BYTES);
    rest %= PUBACK_BYTES;
    // Half a window at a time: a write for each message would be what is measured.
    if (sent - acknowledged <= WINDOW / 2) send();
    if (acknowledged === sent) resolve();
  });
  send();
  await promise;
  socket.removeAllListeners("close").end(packet(DISCONNECT));
  return sent - first;
}

/**
 * Writes one PUBLISH, and answers where it ends. Nothing is allocated for it: the publisher shares
 * the cores of what is measured.
 */
function writeFrame(into: Buffer, from: number, number: number, first: number): number {
  const payload = `{"n":${number},"lat":52.5${number % 997},"lon":13.4${number % 991},"temperature":${20 + (number % 600) / 10}}`;
  const name = names[number % DEVICES]!;
  const length = name.length + 2 + payload.length;
  const messageId = ((number - first) % 65_535) + 1;
  let at = from;
  into[at++] = PUBLISH_QOS1;
  if (length > 0x7f) into[at++] = (length & 0x7f) | 0x80;
  into[at++] = length > 0x7f ? length >> 7 : length;
  at += name.copy(into, at);
  into[at++] = messageId >> 8;
  into[at++] = messageId & 0xff;
  return at + into.write(payload, at, "latin1");
}

async function connected(clientId: string): Promise<Socket> {
  const socket = connect(Number(port), "127.0.0.1");
  socket.setNoDelay(true);
  // Version 4 is MQTT 3.1.1; a clean session, and no keepalive.
  socket.write(packet(CONNECT, text("MQTT"), Buffer.from([4, 2]), uint16(0), text(clientId)));
  // A CONNACK is four bytes, and nothing comes after it that was not asked for.
  await new Promise<void>((resolve, reject) => {
    socket.once("data", () => resolve());
    socket.once("error", reject);
  });
  return socket;
}

/** What begins with this byte, then its length in groups of seven bits. */
function packet(head: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 0x80 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7];
  return Buffer.concat([Buffer.from([head, ...length]), body]);
}

function text(value: string): Buffer {
  return Buffer.concat([uint16(Buffer.byteLength(value)), Buffer.from(value)]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
