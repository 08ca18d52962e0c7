import { Buffer } from "node:buffer";
import type { Clock } from "@skep/kit/clock.ts";

/** The pings of a device, and those that the gate sends for it. */
export interface Pings {
  /** Those that the broker has not answered yet. */
  readonly size: number;
  /** The device's own goes to the broker. */
  passed(): void;
  /** Sends one of the gate's. */
  send(): void;
  /** The broker has answered one. Answers whether it was the device's. */
  answered(): boolean;
  /** The device is read no further, or is again. */
  paused(isPaused: boolean): void;
}

/** What they work with. */
export interface PingsOptions {
  readonly clock: Clock;
  /** What the device promised to the broker; 0 for nothing. */
  readonly keepaliveSeconds: number;
  readonly toBroker: (packet: Buffer) => void;
}

const PING = Buffer.from([0xc0, 0]);

/**
 * Makes them. A broker ends whoever says nothing for one and a half keepalives. So the gate pings
 * for a device that it does not read: the device's own pings stand behind what has to wait.
 */
export function createPings({ clock, keepaliveSeconds, toBroker }: PingsOptions): Pings {
  /** Whether it is the device's. The broker answers in this order. */
  const asked: boolean[] = [];
  let cancel: (() => void) | undefined;

  function send(): void {
    asked.push(false);
    toBroker(PING);
  }

  function again(): void {
    cancel = clock.timer(keepaliveSeconds * 250, () => {
      send();
      again();
    });
  }

  return {
    get size() {
      return asked.length;
    },
    passed: () => void asked.push(true),
    send,
    answered: () => asked.shift() ?? true,
    paused: isPaused => {
      if (isPaused === (cancel !== undefined) || keepaliveSeconds === 0) return;
      if (isPaused) return again();
      cancel?.();
      cancel = undefined;
    },
  };
}
