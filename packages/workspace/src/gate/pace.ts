import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock } from "@skep/kit/clock.ts";

/** Reads a device no faster than it may be read. */
export interface Pace {
  /** So many packets came. */
  took(packets: number): void;
}

/** What bounds it. */
export interface PaceBounds {
  /** Packets in a second. */
  readonly most: number;
  /** Whether something that came has to wait, so that it is to be read no further. */
  readonly isFull: () => boolean;
  /** Is called where it is read no further, and where it is again. */
  readonly paused: (isPaused: boolean) => void;
}

/** Makes one. */
export function createPace({ most, isFull, paused }: PaceBounds, clock: Clock, device: Duplex, broker: Socket): Pace {
  let second = 0;
  let count = 0;
  let isWaiting = false;
  const look = (): void => {
    const isHeldUp = isWaiting || broker.writableNeedDrain || isFull();
    if (isHeldUp === device.isPaused()) return;
    paused(isHeldUp);
    if (isHeldUp) device.pause();
    else device.resume();
  };
  broker.on("drain", look);
  return {
    took: packets => {
      const now = clock.monotonic();
      if (now - second >= 1_000) [second, count] = [now, 0];
      count += packets;
      if (count >= most && !isWaiting) {
        isWaiting = true;
        const cancel = clock.timer(Math.max(1, second + 1_000 - now) * Math.ceil(count / most), () => {
          isWaiting = false;
          look();
        });
        device.once("close", () => cancel());
      }
      look();
    },
  };
}
