import { connect, type Socket } from "node:net";

// Many devices in one process: each has a connection of its own, publishes the numbers from 0 on at
// QoS 1, one after the other, and a number again where its connection ended without a PUBACK.

/** A device, and how it speaks. */
export interface SentDevice {
  /** `{workspace}/devices/{device}`, its user name and the front of its topics. */
  readonly user: string;
  readonly secret: string;
  /** 4 is MQTT 3.1.1. A device that speaks 5 numbers what it sends by the user property `id`. */
  readonly version: 4 | 5;
}

/** What the process is asked. */
export type DeviceOrder =
  | {
      readonly kind: "begin";
      readonly hosts: readonly string[];
      readonly port: number;
      readonly devices: readonly SentDevice[];
      readonly everyMs: number;
    }
  /** Publish nothing more, and answer once everything has its PUBACK. */
  | { readonly kind: "end" }
  | { readonly kind: "count" };

/**
 * What it answers. Of each device's numbers so many have their PUBACK, which are those from 0 on.
 */
export interface DeviceAnswer {
  readonly connected: number;
  readonly acknowledged: readonly number[];
  /** Publishes that were sent again, and connections that ended. */
  readonly repeated: number;
  readonly ended: number;
  /** PUBACKs and CONNACKs that refuse. */
  readonly refused: number;
}

const [CONNACK, PUBACK] = [2, 4];
const QUIET_MS = 15_000;
const AGAIN_MS = 300;
/** A host that is away lets nobody know. */
const CONNECTED_MS = 10_000;
const PUBLISH = { first: 0x32, repeated: 0x3a };

const totals = { repeated: 0, ended: 0, refused: 0 };
let isEnding = false;
let devices: Device[] = [];

class Device {
  readonly #hosts: readonly string[];
  readonly #port: number;
  readonly #who: SentDevice;
  readonly #everyMs: number;
  #socket: Socket | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #dueAt = performance.now();
  #sentAt: number | undefined;
  #wasSent = false;
  /** What is sent again is the same, to the byte. */
  #firstAt = 0;
  #turn: number;
  #late: NodeJS.Timeout | undefined;
  isConnected = false;
  acknowledged = 0;

  constructor(hosts: readonly string[], port: number, who: SentDevice, everyMs: number, at: number) {
    this.#hosts = hosts;
    this.#turn = at;
    this.#port = port;
    this.#who = who;
    this.#everyMs = everyMs;
    this.#dueAt += Math.random() * everyMs;
    setTimeout(() => this.#open(), Math.random() * 1_000);
  }

  /** Whether nothing of it is under way. */
  get isStill(): boolean {
    return !this.#wasSent;
  }

  /** Sends what is due; ends a connection on which nothing is answered. */
  look(now: number): void {
    if (this.#sentAt !== undefined && now - this.#sentAt > QUIET_MS) this.#socket?.destroy();
    if (!this.isConnected || this.#sentAt !== undefined) return;
    if (!this.#wasSent && (isEnding || now < this.#dueAt)) return;
    this.#sentAt = now;
    if (this.#wasSent) totals.repeated += 1;
    else this.#firstAt = Date.now();
    this.#socket?.write(publishOf(this.#who, this.acknowledged, this.#firstAt, this.#wasSent));
    this.#wasSent = true;
  }

  #open(): void {
    const host = this.#hosts[this.#turn % this.#hosts.length];
    this.#turn += 1;
    const socket = connect({ port: this.#port, host, noDelay: true });
    this.#late = setTimeout(() => socket.destroy(), CONNECTED_MS);
    this.#socket = socket;
    this.#bytes = Buffer.alloc(0);
    this.#sentAt = undefined;
    socket.on("connect", () => socket.write(connectOf(this.#who)));
    socket.on("data", data => this.#take(data));
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(this.#late);
      totals.ended += 1;
      this.isConnected = false;
      this.#sentAt = undefined;
      setTimeout(() => this.#open(), AGAIN_MS * (0.5 + Math.random()));
    });
  }

  #take(data: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? data : Buffer.concat([this.#bytes, data]);
    // No packet that comes here is longer than 127 bytes.
    while (this.#bytes.length >= 2 && this.#bytes.length >= 2 + this.#bytes[1]!) {
      const packet = this.#bytes.subarray(0, 2 + this.#bytes[1]!);
      this.#bytes = this.#bytes.subarray(packet.length);
      if (packet[0]! >> 4 === CONNACK) this.#greeted(packet[3]!);
      if (packet[0]! >> 4 === PUBACK) this.#answered(packet[4] ?? 0);
    }
  }

  #greeted(code: number): void {
    clearTimeout(this.#late);
    if (code !== 0) totals.refused += 1;
    else this.isConnected = true;
  }

  #answered(code: number): void {
    if (code >= 0x80) totals.refused += 1;
    this.#sentAt = undefined;
    this.#wasSent = false;
    this.acknowledged += 1;
    // Who was held up does not catch up.
    this.#dueAt = Math.max(this.#dueAt + this.#everyMs, performance.now() - this.#everyMs);
  }
}

function connectOf({ user, secret, version }: SentDevice): Buffer {
  const flags = 0xc2;
  const properties = version === 5 ? [Buffer.from([0])] : [];
  const head = Buffer.from([version, flags, 0, 0]);
  return packet(0x10, text("MQTT"), head, ...properties, text(user), text(user), text(secret));
}

function publishOf({ user, version }: SentDevice, number: number, sentAt: number, isRepeated: boolean): Buffer {
  const id = Buffer.concat([Buffer.from([0x26]), text("id"), text(String(number))]);
  const properties = version === 5 ? [Buffer.from([id.length]), id] : [];
  const payload = Buffer.from(`{"n":${number},"sentAt":${sentAt}}`);
  const topic = text(`${user}/telemetry/position`);
  const head = isRepeated ? PUBLISH.repeated : PUBLISH.first;
  return packet(head, topic, uint16((number % 65_535) + 1), ...properties, payload);
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

function answer(): void {
  const connected = devices.filter(one => one.isConnected).length;
  const said: DeviceAnswer = { connected, acknowledged: devices.map(one => one.acknowledged), ...totals };
  process.send?.(said);
}

setInterval(() => {
  const now = performance.now();
  for (const one of devices) one.look(now);
  if (!isEnding || !devices.every(one => one.isStill)) return;
  isEnding = false;
  answer();
  process.disconnect();
  process.exit(0);
}, 5);

process.on("message", (order: DeviceOrder) => {
  if (order.kind === "begin") {
    const { hosts, port, everyMs } = order;
    devices = order.devices.map((one, at) => new Device(hosts, port, one, everyMs, at));
  }
  if (order.kind === "count") answer();
  if (order.kind === "end") isEnding = true;
});
process.once("disconnect", () => process.exit(0));
