import { Buffer } from "node:buffer";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { messageDigest } from "../message-digest.ts";
import { StreamError } from "../mqtt/frames.ts";
import { isPublish, readPublish } from "../mqtt/publish-frame.ts";
import { headOf, type MqttVersion } from "./inspect.ts";
import type { Message, Owner, Unanswered } from "./unanswered.ts";
import type { Waiting } from "./waiting.ts";

/**
 * Keeps the acknowledgements of what a device publishes until it is stored: a broker acknowledges
 * what it has in its memory only.
 */
export interface Holding {
  /** Messages that the device has no answer to yet. */
  readonly size: number;
  /** Takes a packet of the device that may pass. Answers whether it goes on to the broker. */
  fromDevice(packet: Buffer): boolean;
  /** Takes a packet of the broker. Answers whether it goes on to the device. */
  fromBroker(packet: Buffer): boolean;
  /** The connection has ended. */
  close(): void;
}

/** What it works with. */
export interface HoldingOptions {
  readonly workspaceId: WorkspaceId;
  /** As whom the device is known. */
  readonly user: string;
  readonly unanswered: Unanswered;
  readonly version: MqttVersion;
  readonly waiting: Waiting;
  readonly toDevice: (packet: Buffer) => void;
  readonly toBroker: (packet: Buffer) => void;
  /** A message will never be stored: the device has to connect and send it again. */
  readonly lost: (because: string) => void;
  /** A message was answered. */
  readonly answered: () => void;
}

/** Messages of a device without an answer; it is read no further then. */
export const MOST_HELD = 1_000;

const [PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT] = [4, 5, 6, 7, 14];
const FIRST = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 };
const FAILURE = 0x80;

/**
 * Makes one. A PUBACK waits for the broker's and for what the host says, whichever comes last. At
 * QoS 2 the PUBREC does, after which a device forgets the message: the gate releases the message at
 * the broker itself, and answers the PUBREL of the device itself. The session of a device at the
 * broker knows nothing of that, so that a message of QoS 2 that is sent again by another connection
 * is another one, as at QoS 1. What the broker has of a connection that ended is not passed on to
 * it again, as long as this gate knows of it.
 */
export function createHolding(options: HoldingOptions): Holding {
  return new Keeper(options);
}

class Keeper implements Holding {
  readonly #options: HoldingOptions;
  /** Devices are seen that use a number again before it is free. */
  readonly #messages = new Map<number, Message[]>();
  /** Of QoS 2, stored, and not released by the device yet. */
  readonly #received = new Set<number>();
  readonly #owner: Owner = {
    stored: one => {
      one.isStored = true;
      this.#answer(one);
    },
    lost: (_, because) => this.#options.lost(because),
  };
  /** It waits for no answer any more: what it sends next is something else. */
  #hasLeft = false;
  #size = 0;

  constructor(options: HoldingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  fromDevice(packet: Buffer): boolean {
    if (isPublish(packet)) return this.#publish(packet);
    const type = packet[0]! >> 4;
    if (type === DISCONNECT) this.#hasLeft = true;
    return type === PUBREL ? this.#release(packet) : true;
  }

  fromBroker(packet: Buffer): boolean {
    const type = packet[0]! >> 4;
    if (type !== PUBACK && type !== PUBREC && type !== PUBCOMP) return true;
    const packetId = idOf(packet);
    const one = this.#messages.get(packetId)?.find(each => !each.isAcknowledged);
    // A PUBCOMP answers what an earlier connection of the device had begun. A PUBREC that nobody
    // waits for is of such a one, too: the device sends that message again.
    if (one === undefined || (one.qos === 2) === (type === PUBACK)) return type === PUBCOMP;
    if (codeOf(packet) >= FAILURE) {
      one.waiting.remove(one);
      this.#remove(one);
      this.#options.answered();
      return true;
    }
    if (type === PUBREC) this.#options.toBroker(short(FIRST.pubrel, packetId));
    else this.#acknowledge(one);
    return false;
  }

  close(): void {
    const kept: Message[] = [];
    for (const one of [...this.#messages.values()].flat()) {
      // What is lost does not wait any more, and has to be passed on again.
      if (!this.#hasLeft && one.isAcknowledged && one.waiting.has(one)) kept.push(one);
      else one.waiting.remove(one);
    }
    this.#options.unanswered.keep(kept);
    this.#messages.clear();
    this.#size = 0;
  }

  #publish(packet: Buffer): boolean {
    const { version, user, unanswered } = this.#options;
    const { topic, payload, packetId, isRepeated, senderId } = readPublish(packet, version);
    if (packetId === 0) return true;
    const digest = messageDigest(topic, payload, senderId);
    const qos = (packet[0]! >> 1) & 3;
    const alike = this.#messages.get(packetId) ?? [];
    // It is under way: the broker would take it for another one.
    if (isRepeated && alike.some(one => one.digest === digest && one.qos === qos)) return false;
    if (isRepeated && qos === 2 && this.#received.has(packetId)) {
      this.#options.toDevice(short(FIRST.pubrec, packetId));
      return false;
    }
    if (alike.length > 0 && (qos === 2 || alike.some(one => one.qos === 2)))
      throw new StreamError(`it used the packet id ${packetId} again before it was free`);
    this.#received.delete(packetId);
    const before = unanswered.take({ user, packetId, digest, qos, isRepeated });
    const one = before ?? this.#hold(digest, packetId, qos);
    one.owner = this.#owner;
    this.#messages.set(packetId, [...alike, one]);
    this.#size += 1;
    if (before === undefined) one.waiting.add(one);
    else this.#answer(one);
    return before === undefined;
  }

  #hold(digest: string, packetId: number, qos: number): Message {
    const { workspaceId, user, waiting } = this.#options;
    const one: Message = {
      ...{ workspaceId, user, digest, packetId, qos, waiting },
      ...{ isAcknowledged: false, isStored: false, owner: this.#owner },
      stored: () => one.owner.stored(one),
      lost: because => one.owner.lost(one, because),
    };
    return one;
  }

  #release(packet: Buffer): boolean {
    const packetId = idOf(packet);
    if (this.#received.delete(packetId)) {
      this.#options.toDevice(short(FIRST.pubcomp, packetId));
      return false;
    }
    if (this.#messages.has(packetId))
      throw new StreamError(`it released the message ${packetId} before it was received`);
    return true;
  }

  /** The broker has it. */
  #acknowledge(one: Message): void {
    one.isAcknowledged = true;
    if (!one.isStored) one.waiting.acknowledged(one);
    this.#answer(one);
  }

  #answer(one: Message): void {
    if (!one.isAcknowledged || !one.isStored) return;
    this.#remove(one);
    if (one.qos === 2) this.#received.add(one.packetId);
    this.#options.toDevice(short(one.qos === 2 ? FIRST.pubrec : FIRST.puback, one.packetId));
    this.#options.answered();
  }

  #remove(one: Message): void {
    const alike = this.#messages.get(one.packetId);
    const at = alike?.indexOf(one) ?? -1;
    if (alike === undefined || at === -1) return;
    alike.splice(at, 1);
    if (alike.length === 0) this.#messages.delete(one.packetId);
    this.#size -= 1;
  }
}

/** An answer that means success in each version. */
function short(first: number, packetId: number): Buffer {
  return Buffer.from([first, 2, packetId >> 8, packetId & 0xff]);
}

function idOf(packet: Buffer): number {
  const at = headOf(packet);
  if (packet.length < at + 2) throw new StreamError("it sent a packet that is cut off");
  return packet.readUInt16BE(at);
}

/** Before MQTT 5 there was none. */
function codeOf(packet: Buffer): number {
  return packet[headOf(packet) + 2] ?? 0;
}
