import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { deviceUser } from "@skep/core/workspace/device.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createCutter, StreamError, type Cutter } from "../mqtt/frames.ts";
import { farewell, type Application } from "./connect-packet.ts";
import { createHolding, MOST_HELD, type Holding } from "./holding.ts";
import { createInspector, type MqttVersion } from "./inspect.ts";
import { createLeaving, type Leaving } from "./leaving.ts";
import { createPace } from "./pace.ts";
import type { Roll } from "./roll.ts";
import type { Unanswered } from "./unanswered.ts";
import type { Waiting } from "./waiting.ts";

/**
 * Ends a connection: at once, or with a last word and time for the device to read all that was
 * said. What it sends meanwhile is nobody's.
 */
export type End = (farewell?: Buffer) => void;

/** What a device and a broker say to each other. */
export interface Pipe {
  fromBroker(chunk: Buffer): void;
  revoke(): void;
  move(): void;
  /** The connection has ended. */
  close(): void;
}

/** What is joined. */
export interface Joined {
  readonly device: Duplex;
  readonly broker: Socket;
  readonly asked: Application;
  /** What waits at this broker. */
  readonly waiting: Waiting;
  readonly end: End;
}

/** What it works with. */
export interface PipeDeps {
  /** As of a connection. */
  readonly settings: { readonly mostBytes: number; readonly mostPackets: number };
  readonly roll: Pick<Roll, "denied">;
  readonly unanswered: Unanswered;
  readonly clock: Clock;
  readonly log: Log;
}

/** The answer to a ping. */
const PINGRESP = 13;

/** Passes on what may pass, both ways, and no faster than it is taken. */
export function join({ device, broker, asked, waiting, end }: Joined, deps: PipeDeps): Pipe {
  const { clock, log } = deps;
  const user = deviceUser(asked.device);
  const send = (packet: Buffer): void => void device.write(packet);
  const finish = (because: string): void => {
    log.debug("gate.ended", `${user}: ${because}.`);
    end();
  };
  const holding = createHolding({
    ...{ workspaceId: asked.device.workspaceId, user, version: asked.version, waiting, unanswered: deps.unanswered },
    ...{ toDevice: send, toBroker: packet => void broker.write(packet), lost: finish },
    answered: () => {
      pace.look();
      leaving.look();
    },
  });
  const bounds = { most: deps.settings.mostPackets, isFull: () => holding.size >= MOST_HELD };
  const pace = createPace(bounds, clock, device, broker);
  const leaving = createLeaving({
    clock,
    toBroker: packet => void broker.write(packet),
    held: () => holding.size,
    end: unfinished => {
      if (unfinished > 0) log.warn("gate.unfinished", `${user} left ${unfinished} messages half way.`);
      device.off("data", fromDevice);
      end(farewell(asked.version) ?? Buffer.alloc(0));
    },
  });
  const fromBroker = createBackward({ device, broker, holding, leaving, finish });
  broker.on("data", fromBroker);
  device.on("drain", () => broker.resume());
  const inspect = createInspector(asked.device, asked.version);
  const cutter = createCutter(deps.settings.mostBytes);
  const denied = (topic: string): void => deps.roll.denied(asked.device, topic);
  const fromDevice = (chunk: Buffer): void => {
    const passing = judge(chunk, { cutter, inspect, leaving, holding, send, finish, denied });
    if (passing === undefined) return;
    const isTaken = passing.bytes.length === 0 || broker.write(passing.bytes);
    pace.took(passing.count, isTaken);
  };
  device.on("data", fromDevice);
  device.resume();
  return {
    fromBroker,
    revoke: () => revoke(asked.version, send, end),
    move: () => leaving.begin(),
    close: () => {
      leaving.close();
      holding.close();
    },
  };
}

function revoke(version: MqttVersion, send: (packet: Buffer) => void, end: End): void {
  const told = farewell(version);
  if (told !== undefined) send(told);
  end();
}

interface Backward {
  readonly device: Duplex;
  readonly broker: Socket;
  readonly holding: Holding;
  readonly leaving: Leaving;
  finish(because: string): void;
}

/** Passes on what the broker says, in whole packets: our own go between two of them. */
function createBackward({ device, broker, holding, leaving, finish }: Backward): (chunk: Buffer) => void {
  const cutter = createCutter(Infinity);
  return chunk => {
    if (chunk.length === 0) return;
    try {
      const packets = cutter.push(chunk);
      const passed = packets.filter(packet => holding.fromBroker(packet));
      if (passed.length > 0 && !device.write(together(passed))) broker.pause();
      const pongs = packets.filter(packet => packet[0]! >> 4 === PINGRESP).length;
      if (pongs > 0) leaving.pongs(pongs);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      finish(`the broker broke the stream: ${error.message}`);
    }
  };
}

interface Judging {
  readonly leaving: Leaving;
  readonly holding: Holding;
  readonly cutter: Cutter;
  readonly inspect: ReturnType<typeof createInspector>;
  send(packet: Buffer): void;
  finish(because: string): void;
  denied(topic: string): void;
}

/** What of a chunk goes to the broker; `undefined` where the connection ends. */
function judge(
  chunk: Buffer,
  { cutter, inspect, leaving, holding, send, finish, denied }: Judging,
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
        if (leaving.pass(packet) && holding.fromDevice(packet)) passed.push(packet);
      } else if (verdict.answer !== undefined) send(verdict.answer);
    }
    return { bytes: together(passed), count: packets.length };
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    finish(error.message);
    return undefined;
  }
}

function together(packets: readonly Buffer[]): Buffer {
  return packets.length === 1 ? packets[0]! : Buffer.concat(packets);
}
