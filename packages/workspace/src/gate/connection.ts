import { Buffer } from "node:buffer";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { deviceUser } from "@skep/core/workspace/device.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { Admissions } from "./admissions.ts";
import type { Budget } from "./budget.ts";
import { isInPlace, type Broker, type Brokers, type Place } from "./brokers.ts";
import {
  connackForDevice,
  connectAtBroker,
  deniedWill,
  isAccepted,
  readConnect,
  refusal,
  type Application,
  type RefusedBecause,
} from "./connect-packet.ts";
import { createCutter } from "../mqtt/frames.ts";
import type { Ear, Ears } from "./ears.ts";
import { join, type End, type Pipe } from "./pipe.ts";
import type { Refusals } from "./refusals.ts";
import type { Live, Roll } from "./roll.ts";
import type { Unanswered } from "./unanswered.ts";

/** Where the broker of all is, and what a connection may do. */
export interface ConnectionSettings {
  readonly broker: Broker;
  /** Bytes of the largest packet. */
  readonly mostBytes: number;
  /** Packets in a second; a device that sends more is read more slowly, and loses nothing. */
  readonly mostPackets: number;
  /** Messages of all devices that may wait to be stored. */
  readonly mostHeld: number;
}

/** What connections share. */
export interface ConnectionDeps {
  readonly settings: ConnectionSettings;
  readonly admissions: Admissions;
  readonly brokers: Brokers;
  readonly ears: Ears;
  readonly unanswered: Unanswered;
  readonly budget: Budget;
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
  if (admission.kind === "unavailable") return turnAway(device, user, "no scheduler said who it is", deps.log);
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
  if (place?.broker === undefined) return turnAway(device, user, "the broker of its workspace runs nowhere", deps.log);
  const ear = await deps.ears.at(place.broker);
  if (device.destroyed) return;
  const now = deps.brokers.of(asked.device.workspaceId);
  // It may have been sent elsewhere meanwhile, and the schedulers were told that nobody is here.
  if (ear === undefined || now?.broker === undefined || !isInPlace(place, now))
    return turnAway(device, user, "its broker is away, or has changed", deps.log);
  openAtBroker({ device, asked, ear, place: { ...place, broker: place.broker }, version: admission.version }, deps);
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

/**
 * Ends a connection that cannot be served now, without a word: whoever loses a connection connects
 * again, and some never do after a CONNACK that refuses (mqtt.js, unless it is told to).
 */
function turnAway(device: Duplex, user: string, because: string, log: Log): void {
  log.debug("gate.turned-away", `${user} is to connect again: ${because}.`);
  device.destroy();
}

interface Opening {
  readonly device: Duplex;
  readonly asked: Application;
  readonly version: number;
  readonly place: Place & { readonly broker: Broker };
  readonly ear: Ear;
}

function openAtBroker({ device, asked, version, place, ear }: Opening, deps: ConnectionDeps): void {
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
    leaveEar();
    pipe?.close();
    broker.destroy();
    if (farewell !== undefined) return dismiss(device, farewell, deps.clock);
    // What was written to it still goes out.
    device.end();
    setImmediate(() => device.destroy());
  };
  roll.enter(live);
  const leaveEar = ear.enter(() => end());
  broker.on("error", () => undefined);
  device.once("close", () => end());
  broker.once("close", () => end());
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
    pipe = join({ device, broker, asked, waiting: ear.waiting, end }, deps);
    pipe.fromBroker(Buffer.concat([...more, first.rest()]));
  });
}
