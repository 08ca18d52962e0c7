import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@skep/kit/clock.ts";

/** Reads a device no faster than it may be read. */
export interface Pace {
  /** So many packets came; `isTaken` says whether the broker can take more at once. */
  took(packets: number, isTaken: boolean): void;
  /** Looks again whether too much of it waits for an answer. */
  look(): void;
}

/** What bounds it. */
export interface PaceBounds {
  /** Packets in a second. */
  readonly most: number;
  /** Whether so much waits for an answer that it is to be read no further. */
  readonly isFull: () => boolean;
}

/** Makes one. */
export function createPace({ most, isFull }: PaceBounds, clock: Clock, device: Duplex, broker: Socket): Pace {
  let second = 0;
  let count = 0;
  let isWaiting = false;
  let isBehind = false;
  const isHeldUp = (): boolean => isWaiting || isBehind || isFull();
  const go = (): void => void (!isHeldUp() && device.resume());
  broker.on("drain", () => {
    isBehind = false;
    go();
  });
  return {
    took: (packets, isTaken) => {
      const now = clock.monotonic();
      if (now - second >= 1_000) [second, count] = [now, 0];
      count += packets;
      isBehind = !isTaken;
      if (count >= most && !isWaiting) {
        isWaiting = true;
        const cancel = clock.timer(Math.max(1, second + 1_000 - now) * Math.ceil(count / most), () => {
          isWaiting = false;
          go();
        });
        device.once("close", () => cancel());
      }
      if (isHeldUp()) device.pause();
    },
    look: () => void (device.isPaused() && go()),
  };
}
