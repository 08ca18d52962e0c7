import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { deviceUser } from "@skep/core/workspace/device.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { createCutter, StreamError } from "../mqtt/frames.ts";
import { together, TYPE, typeOf } from "../mqtt/packet.ts";
import type { Budget } from "./budget.ts";
import { farewell, type Application } from "./connect-packet.ts";
import { createForward } from "./forward.ts";
import { createHolding, type Holding } from "./holding.ts";
import { createInspector } from "./inspect.ts";
import { createLastAnswered } from "./last-answered.ts";
import { createLeaving, type Leaving } from "./leaving.ts";
import { createPace } from "./pace.ts";
import { createPings, type Pings } from "./pings.ts";
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
  readonly budget: Budget;
  readonly clock: Clock;
  readonly log: Log;
}

/** Bytes of answers behind what a device does not read; a thousand answers. */
const MOST_UNREAD = 4_096;

/** Passes on what may pass, both ways, and no faster than it is taken. */
export function join({ device, broker, asked, waiting, end }: Joined, deps: PipeDeps): Pipe {
  const { clock, log, unanswered, budget, settings } = deps;
  const user = deviceUser(asked.device);
  const finish = (because: string): void => {
    log.debug("gate.ended", `${user}: ${because}.`);
    end();
  };
  const { toDevice, isRead } = createAnswers(device);
  const toBroker = (packet: Buffer): void => void broker.write(packet);
  const pings = createPings({ clock, toBroker, keepaliveSeconds: asked.packet.keepalive ?? 0 });
  const holding = createHolding({
    sender: { workspaceId: asked.device.workspaceId, user, waiting },
    ...{ version: asked.version, unanswered, budget, toBroker, toDevice, lost: finish },
    lastAnswered: createLastAnswered(clock),
    answered: () => {
      forward.look();
      leaving.look();
    },
  });
  const leaving = createLeaving({
    clock,
    ping: pings.send,
    pings: () => pings.size,
    held: () => holding.size,
    end: unfinished => {
      if (unfinished > 0) log.warn("gate.unfinished", `${user} left ${unfinished} messages half way.`);
      end(farewell(asked.version) ?? Buffer.alloc(0));
    },
  });
  const forward = createForward({
    ...{ broker, mostBytes: settings.mostBytes, leaving, holding, pings, budget, toDevice, isRead, finish },
    inspect: createInspector(asked.device, asked.version),
    denied: topic => deps.roll.denied(asked.device, topic),
    took: packets => pace.took(packets),
  });
  const bounds = { most: settings.mostPackets, isFull: () => forward.isFull, paused: pings.paused };
  const pace = createPace(bounds, clock, device, broker);
  const fromBroker = createBackward({ device, broker, holding, leaving, pings, finish });
  const drained = (): void => {
    broker.resume();
    forward.look();
  };
  const fromDevice = (chunk: Buffer): void => forward.push(chunk);
  broker.on("data", fromBroker);
  device.on("drain", drained);
  device.on("data", fromDevice);
  device.resume();
  return {
    fromBroker,
    revoke: () => {
      const told = farewell(asked.version);
      if (told !== undefined) device.write(told);
      end();
    },
    move: () => {
      leaving.begin();
      forward.look();
    },
    close: () => {
      // The device is there for a while yet, and what it sends is nobody's.
      device.off("data", fromDevice);
      device.off("drain", drained);
      pings.paused(false);
      forward.close();
      leaving.close();
      holding.close();
    },
  };
}

/** What the gate itself answers, and whether the device reads it. */
function createAnswers(device: Duplex) {
  let unread = 0;
  device.on("drain", () => (unread = 0));
  return {
    toDevice: (packet: Buffer): void => {
      if (!device.write(packet)) unread += packet.length;
    },
    isRead: () => unread < MOST_UNREAD,
  };
}

type Backward = Pick<Joined, "device" | "broker"> & {
  readonly holding: Holding;
  readonly leaving: Leaving;
  readonly pings: Pings;
  finish(because: string): void;
};

/** Passes on what the broker says, in whole packets: our own go between two of them. */
function createBackward({ device, broker, holding, leaving, pings, finish }: Backward): (chunk: Buffer) => void {
  const cutter = createCutter(Infinity);
  return chunk => {
    if (chunk.length === 0) return;
    try {
      const packets = cutter.push(chunk);
      const isPong = (packet: Buffer): boolean => typeOf(packet) === TYPE.pingresp;
      const passed = packets.filter(packet => (isPong(packet) ? pings.answered() : holding.fromBroker(packet)));
      if (passed.length > 0 && !device.write(together(passed))) broker.pause();
      if (packets.some(isPong)) leaving.look();
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      finish(`the broker broke the stream: ${error.message}`);
    }
  };
}
