import { Buffer } from "node:buffer";
import { messageDigest } from "../message-digest.ts";
import { StreamError } from "../mqtt/frames.ts";
import { headOf, publishIdOf, qosOf, TYPE, typeOf } from "../mqtt/packet.ts";
import { isPublish, readPublish } from "../mqtt/publish-frame.ts";
import type { Budget } from "./budget.ts";
import { Message, type Owner, type Sender } from "./held-message.ts";
import type { MqttVersion } from "./inspect.ts";
import type { LastAnswered } from "./last-answered.ts";
import type { Unanswered } from "./unanswered.ts";

/**
 * Keeps the acknowledgements of what a device publishes until it is stored: a broker acknowledges
 * what it has in its memory only.
 */
export interface Holding {
  /** Messages that the device has no answer to yet. */
  readonly size: number;
  /** Whether a packet of the device may be taken now, or has to wait with all that is behind it. */
  fits(packet: Buffer): boolean;
  /** Takes a packet of the device that may pass. Answers whether it goes on to the broker. */
  fromDevice(packet: Buffer): boolean;
  /** Takes a packet of the broker. Answers whether it goes on to the device. */
  fromBroker(packet: Buffer): boolean;
  /** The connection has ended. */
  close(): void;
}

/** What it works with. */
export interface HoldingOptions {
  readonly sender: Sender;
  readonly unanswered: Unanswered;
  readonly lastAnswered: LastAnswered;
  readonly budget: Budget;
  readonly version: MqttVersion;
  readonly toDevice: (packet: Buffer) => void;
  readonly toBroker: (packet: Buffer) => void;
  /** A message will never be stored: the device has to connect and send it again. */
  readonly lost: (because: string) => void;
  /** A message was answered. */
  readonly answered: () => void;
}

/** Messages of a device without an answer; what is more waits. */
export const MOST_HELD = 100;
/** As many each device may have though all together have more than a gate has memory for. */
const FEW_HELD = 4;
/** Those of QoS 2 behind their PUBREC: an old device may send many before it reads the first. */
const MOST_RECEIVED = 10_000;

const FIRST = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 };
const FAILURE = 0x80;

/**
 * Makes one. A PUBACK waits for the broker's and for what the host says, whichever comes last. At
 * QoS 2 the PUBREC does, after which a device forgets the message: the gate releases the message at
 * the broker itself, and answers the PUBREL of the device itself. The session of a device at the
 * broker knows nothing of that, so that a message of QoS 2 that is sent again by another connection
 * is another one, as at QoS 1. What the broker has of a connection that ended is not passed on to
 * it again, as long as this gate knows of it; the device may not have read its answer.
 */
export function createHolding(options: HoldingOptions): Holding {
  return new Keeper(options);
}

class Keeper implements Holding {
  readonly #options: HoldingOptions;
  readonly #messages = new Map<number, Message>();
  /** Those of QoS 2 that are stored, and not released by the device yet. */
  readonly #received = new Map<number, Message>();
  readonly #owner: Owner = {
    stored: one => {
      one.isStored = true;
      this.#answer(one);
    },
    lost: (_, because) => this.#options.lost(because),
  };
  /** It waits for no answer any more: what it sends next is something else. */
  #hasLeft = false;
  /** Nobody takes out any more what would be put in. */
  #isClosed = false;

  constructor(options: HoldingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#messages.size;
  }

  fits(packet: Buffer): boolean {
    const packetId = publishIdOf(packet);
    if (packetId === 0) return true;
    const before = this.#messages.get(packetId);
    // One answer to two messages of a number would be taken for the answer to both.
    if (before !== undefined) return isRepeated(packet) || before.qos === 2 || qosOf(packet) === 2;
    const { size } = this.#messages;
    return size < FEW_HELD || (size < MOST_HELD && !this.#options.budget.isSpent);
  }

  fromDevice(packet: Buffer): boolean {
    if (this.#isClosed) return false;
    if (isPublish(packet)) return this.#publish(packet);
    const type = typeOf(packet);
    if (type === TYPE.disconnect) this.#hasLeft = true;
    return type === TYPE.pubrel ? this.#release(packet) : true;
  }

  fromBroker(packet: Buffer): boolean {
    if (this.#isClosed) return false;
    const type = typeOf(packet);
    if (type !== TYPE.puback && type !== TYPE.pubrec && type !== TYPE.pubcomp) return true;
    const packetId = idOf(packet);
    const one = this.#messages.get(packetId);
    // A PUBCOMP answers what an earlier connection of the device had begun. A PUBREC that nobody
    // waits for is of such a one, too: the device sends that message again.
    const isOfAnother = one === undefined || one.isAcknowledged || (one.qos === 2) === (type === TYPE.puback);
    if (isOfAnother || (type === TYPE.pubcomp && !one.isReceived)) return type === TYPE.pubcomp;
    if (codeOf(packet) >= FAILURE) {
      one.waiting.remove(one);
      this.#remove(one);
      this.#options.answered();
      return true;
    }
    if (type === TYPE.pubrec) {
      one.isReceived = true;
      this.#options.toBroker(short(FIRST.pubrel, packetId));
    } else this.#acknowledge(one);
    return false;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What waits comes last: it counts where an answered one had its number.
    const kept = this.#hasLeft ? [] : [...this.#options.lastAnswered.all(), ...this.#received.values()];
    for (const one of this.#messages.values()) {
      // What is lost does not wait any more, and has to be passed on again.
      if (!this.#hasLeft && one.isAcknowledged && one.waiting.has(one)) kept.push(one);
      else one.waiting.remove(one);
    }
    this.#options.unanswered.keep(kept);
    const { size } = this.#messages;
    this.#messages.clear();
    this.#options.budget.giveBack(size);
  }

  #publish(packet: Buffer): boolean {
    const { version, sender, unanswered } = this.#options;
    const published = readPublish(packet, version);
    const { packetId, isRepeated } = published;
    if (packetId === 0) return true;
    const digest = messageDigest(published.topic, published.payload, published.senderId);
    const qos = qosOf(packet);
    const before = this.#messages.get(packetId);
    if (before !== undefined) {
      // It is under way: the broker would take it for another one.
      if (isRepeated && before.digest === digest && before.qos === qos) return false;
      throw new StreamError(`it used the packet id ${packetId} again before it was free`);
    }
    if (isRepeated && qos === 2 && this.#received.get(packetId)?.digest === digest) {
      this.#options.toDevice(short(FIRST.pubrec, packetId));
      return false;
    }
    this.#received.delete(packetId);
    if (this.#received.size >= MOST_RECEIVED)
      throw new StreamError(`it has not released ${MOST_RECEIVED} messages that it knows to be received`);
    const sentBefore = unanswered.take({ user: sender.user, packetId, digest, qos, isRepeated });
    const one = sentBefore ?? new Message(sender, this.#owner, { digest, packetId, qos });
    one.owner = this.#owner;
    this.#messages.set(packetId, one);
    this.#options.budget.spend();
    if (sentBefore === undefined) one.waiting.add(one);
    else this.#answer(one);
    return sentBefore === undefined;
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
    if (one.qos === 2) this.#received.set(one.packetId, one);
    else this.#options.lastAnswered.add(one);
    this.#options.toDevice(short(one.qos === 2 ? FIRST.pubrec : FIRST.puback, one.packetId));
    this.#options.answered();
  }

  #remove(one: Message): void {
    if (this.#messages.get(one.packetId) !== one) return;
    this.#messages.delete(one.packetId);
    this.#options.budget.giveBack(1);
  }
}

/** An answer that means success in each version. */
function short(first: number, packetId: number): Buffer {
  return Buffer.from([first, 2, packetId >> 8, packetId & 0xff]);
}

function isRepeated(packet: Buffer): boolean {
  return (packet[0]! & 8) !== 0;
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
