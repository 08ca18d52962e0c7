/** Holds back the wire while too much waits. */
export interface Brake {
  /** So many messages wait, which have so many bytes. */
  measure(waiting: number, bytes: number): void;
}

/** At QoS 0 nothing holds the sender back, so nothing is read while so many batches wait. */
const MOST_BATCHES = 4;
/** A batch of large messages must not fill the memory that all workspaces of a process share. */
const MOST_BYTES = 8 * 2 ** 20;

/** Makes it for batches of `most` messages; `pause` stops and goes on with reading. */
export function createBrake(most: number, pause: (isPaused: boolean) => void): Brake {
  let isHeld = false;
  return {
    measure: (waiting, bytes) => {
      const isToBe = waiting >= most * MOST_BATCHES || bytes >= MOST_BYTES;
      if (isToBe === isHeld) return;
      isHeld = isToBe;
      pause(isHeld);
    },
  };
}
