import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { deviceUser } from "@skep/core/workspace/device.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Admissions } from "./admissions.ts";
import type { Broker, Brokers, Place } from "./brokers.ts";
import {
  connackForDevice,
  connectAtBroker,
  deniedWill,
  farewell,
  isAccepted,
  readConnect,
  refusal,
  type Application,
  type RefusedBecause,
} from "./connect-packet.ts";
import { createCutter, createFollower, StreamError, type Cutter } from "../mqtt/frames.ts";
import { createInspector, type MqttVersion } from "./inspect.ts";
import { createLeaving, type Leaving } from "./leaving.ts";
import type { Refusals } from "./refusals.ts";
import type { Live, Roll } from "./roll.ts";

/** Where the broker of all is, and what a connection may do. */
export interface ConnectionSettings {
  readonly broker: Broker;
  /** Bytes of the largest packet. */
  readonly mostBytes: number;
  /** Packets in a second; a device that sends more is read more slowly, and loses nothing. */
  readonly mostPackets: number;
}

/** What connections share. */
export interface ConnectionDeps {
  readonly settings: ConnectionSettings;
  readonly admissions: Admissions;
  readonly brokers: Brokers;
  readonly roll: Roll;
  readonly refusals: Refusals;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long whoever connects may take to say who it is. */
const CONNECT_MS = 10_000;
/** How long the broker may take to let the gate in. */
const BROKER_MS = 10_000;
/** How long a device that was refused may take to go. */
const DISMISS_MS = 1_000;
/** A CONNECT has a will at most, and nobody is known yet. */
const MOST_CONNECT_BYTES = 65_536;
/** The first byte of the answer to a ping. */
const PINGRESP = 0xd0;

/** Serves a device, from its first byte to its last. */
export function serveDevice(device: Duplex, address: string, deps: ConnectionDeps): void {
  const first = createCutter(Math.min(MOST_CONNECT_BYTES, deps.settings.mostBytes));
  const cancelLate = deps.clock.timer(CONNECT_MS, () => device.destroy());
  device.on("error", () => device.destroy());
  device.once("close", () => cancelLate());
  device.on("data", read);

  function read(chunk: Buffer): void {
    let packets: Buffer[];
    try {
      packets = first.push(chunk);
    } catch {
      return void device.destroy();
    }
    const [packet, ...more] = packets;
    if (packet === undefined) return;
    device.off("data", read);
    device.pause();
    cancelLate();
    const rest = Buffer.concat([...more, first.rest()]);
    if (rest.length > 0) device.unshift(rest);
    void decide(device, packet, address, deps);
  }
}

async function decide(device: Duplex, packet: Buffer, address: string, deps: ConnectionDeps): Promise<void> {
  const asked = readConnect(packet);
  if (asked === undefined) return void device.destroy();
  const refuse = (because: RefusedBecause): void => dismiss(device, refusal(because, asked.version), deps.clock);
  if ("because" in asked) {
    deps.refusals.refused(address, "");
    return refuse(asked.because);
  }
  const user = deviceUser(asked.device);
  if (deps.refusals.isBanned(address, user)) return refuse("banned");
  const admission = await deps.admissions.admit(asked.device, asked.secret);
  if (device.destroyed) return;
  if (admission.kind === "unavailable") return refuse("unavailable");
  if (admission.kind !== "admitted") {
    deps.refusals.refused(address, user);
    return refuse("credentials");
  }
  const will = deniedWill(asked);
  if (will !== undefined) {
    deps.roll.denied(asked.device, will);
    return refuse("topic");
  }
  const place = deps.brokers.of(asked.device.workspaceId);
  if (place?.broker === undefined) return refuse("unavailable");
  openAtBroker({ device, asked, place: { ...place, broker: place.broker }, version: admission.version }, deps);
}

/** Says why, and waits no longer than a moment for the other side to go. */
function dismiss(device: Duplex, told: Buffer, clock: Clock): void {
  device.resume();
  device.end(told);
  device.once(
    "close",
    clock.timer(DISMISS_MS, () => device.destroy()),
  );
}

interface Opening {
  readonly device: Duplex;
  readonly asked: Application;
  readonly version: number;
  readonly place: Place & { readonly broker: Broker };
}

function openAtBroker({ device, asked, version, place }: Opening, deps: ConnectionDeps): void {
  const { roll } = deps;
  const { host, port, login } = place.broker;
  const broker = connect(port, host);
  broker.setNoDelay(true);
  const live: Live = {
    ...{ device: asked.device, version, place },
    revoke: () => (pipe === undefined ? end() : pipe.revoke()),
    move: () => (pipe === undefined ? broker.destroy() : pipe.move()),
  };
  let pipe: Pipe | undefined;
  let isEnding = false;
  const end: End = farewell => {
    if (isEnding) return;
    isEnding = true;
    roll.leave(live);
    broker.destroy();
    if (farewell !== undefined) return dismiss(device, farewell, deps.clock);
    // What was written to it still goes out.
    device.end();
    setImmediate(() => device.destroy());
  };
  roll.enter(live);
  broker.on("error", () => undefined);
  device.once("close", () => end());
  broker.once("close", () => {
    if (pipe === undefined && !device.destroyed) device.write(refusal("unavailable", asked.version));
    end();
  });
  broker.once("connect", () => broker.write(connectAtBroker(asked, login)));
  const cancelWait = deps.clock.timer(BROKER_MS, () => broker.destroy());
  broker.once("close", cancelWait);
  // What waited for the device comes right behind, and the broker may send packets of any size.
  const first = createCutter(Infinity);
  broker.on("data", function answer(chunk: Buffer): void {
    const [connack, ...more] = first.push(chunk);
    if (connack === undefined) return;
    broker.off("data", answer);
    cancelWait();
    if (!isAccepted(connack)) {
      const user = deviceUser(asked.device);
      deps.log.warn("gate.broker-refused", `The broker did not let the gate in for ${user}.`, { code: connack[3] });
      return end();
    }
    device.write(connackForDevice(connack, asked));
    pipe = join(device, broker, asked, deps, end);
    pipe.fromBroker(Buffer.concat([...more, first.rest()]));
  });
}

/**
 * Ends a connection: at once, or with a last word and time for the device to read all that was
 * said. What it sends meanwhile is nobody's.
 */
type End = (farewell?: Buffer) => void;

interface Pipe {
  fromBroker(chunk: Buffer): void;
  revoke(): void;
  move(): void;
}

/** Passes on what may pass, both ways, and no faster than it is taken. */
function join(device: Duplex, broker: Socket, asked: Application, deps: ConnectionDeps, end: End): Pipe {
  let pongs = 0;
  const follower = createFollower(first => void (first === PINGRESP && pongs++));
  const answers: Buffer[] = [];
  const pace = createPace(deps.settings.mostPackets, deps.clock, device, broker);
  const flush = (): void => {
    for (const answer of answers.splice(0)) device.write(answer);
  };
  /** Our own packets go between two of the broker's. */
  const send = (packet: Buffer): void => {
    answers.push(packet);
    if (follower.isBetween()) flush();
  };
  const fromBroker = (chunk: Buffer): void => {
    if (chunk.length === 0) return;
    const between = follower.follow(chunk);
    let isTaken: boolean;
    if (answers.length > 0 && between !== undefined) {
      device.write(chunk.subarray(0, between));
      flush();
      isTaken = device.write(chunk.subarray(between));
    } else isTaken = device.write(chunk);
    if (!isTaken) broker.pause();
    if (pongs > 0) leaving.pongs(pongs);
    pongs = 0;
  };
  broker.on("data", fromBroker);
  device.on("drain", () => broker.resume());
  const inspect = createInspector(asked.device, asked.version);
  const cutter = createCutter(deps.settings.mostBytes);
  const finish = (because: string): void => {
    deps.log.debug("gate.ended", `${deviceUser(asked.device)}: ${because}.`);
    end();
  };
  const leaving = createLeaving({
    clock: deps.clock,
    toBroker: packet => void broker.write(packet),
    end: unfinished => {
      const user = deviceUser(asked.device);
      if (unfinished > 0) deps.log.warn("gate.unfinished", `${user} left ${unfinished} messages of QoS 2 half way.`);
      device.off("data", fromDevice);
      end(farewell(asked.version) ?? Buffer.alloc(0));
    },
  });
  device.once("close", () => leaving.close());
  const fromDevice = (chunk: Buffer): void => {
    const passing = judge(chunk, {
      ...{ cutter, inspect, leaving, send, finish },
      denied: topic => deps.roll.denied(asked.device, topic),
    });
    if (passing === undefined) return;
    const isTaken = passing.bytes.length === 0 || broker.write(passing.bytes);
    pace(passing.count, isTaken);
  };
  device.on("data", fromDevice);
  device.resume();
  return { fromBroker, revoke: () => revoke(asked.version, send, end), move: () => leaving.begin() };
}

function revoke(version: MqttVersion, send: (packet: Buffer) => void, end: End): void {
  const told = farewell(version);
  if (told !== undefined) send(told);
  end();
}

interface Judging {
  readonly leaving: Leaving;
  readonly cutter: Cutter;
  readonly inspect: ReturnType<typeof createInspector>;
  send(packet: Buffer): void;
  finish(because: string): void;
  denied(topic: string): void;
}

/** What of a chunk goes to the broker; `undefined` where the connection ends. */
function judge(
  chunk: Buffer,
  { cutter, inspect, leaving, send, finish, denied }: Judging,
): { readonly bytes: Buffer; readonly count: number } | undefined {
  try {
    const packets = cutter.push(chunk);
    const passed: Buffer[] = [];
    for (const packet of packets) {
      const verdict = inspect(packet);
      if (verdict.kind === "end") {
        finish(verdict.because);
        return undefined;
      }
      if (verdict.kind === "denied") denied(verdict.topic);
      if (verdict.kind === "pass") {
        if (leaving.pass(packet)) passed.push(packet);
      } else if (verdict.answer !== undefined) send(verdict.answer);
    }
    return { bytes: passed.length === 1 ? passed[0]! : Buffer.concat(passed), count: packets.length };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    finish(error.message);
    return undefined;
  }
}

/** Reads the device no faster than the broker takes it, and than it may send. */
function createPace(
  most: number,
  clock: Clock,
  device: Duplex,
  broker: Socket,
): (count: number, taken: boolean) => void {
  let second = 0;
  let count = 0;
  let isWaiting = false;
  let isFull = false;
  const go = (): void => void (!isWaiting && !isFull && device.resume());
  broker.on("drain", () => {
    isFull = false;
    go();
  });
  return (packets, isTaken) => {
    const now = clock.monotonic();
    if (now - second >= 1_000) [second, count] = [now, 0];
    count += packets;
    isFull = !isTaken;
    if (count >= most && !isWaiting) {
      isWaiting = true;
      const cancel = clock.timer(Math.max(1, second + 1_000 - now) * Math.ceil(count / most), () => {
        isWaiting = false;
        go();
      });
      device.once("close", () => cancel());
    }
    if (isWaiting || isFull) device.pause();
  };
}
