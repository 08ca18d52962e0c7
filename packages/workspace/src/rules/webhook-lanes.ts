/**
 * What waits for its turn. Each target has turns of its own, so that one that does not answer holds
 * up no other.
 */
export interface Waiting {
  /** Resolves in its turn, with what ends it; `undefined` where too much waits. */
  turn(name: string, bytes: number): Promise<() => void> | undefined;
  /** How many wait or have their turn. */
  size(): number;
  /** Resolves when there are none. */
  empty(): Promise<void>;
}

/** Turns that one target has at once. */
const AT_ONCE = 4;
/** Waiting or under way, of one target and in all; fewer than acting has under way at once. */
const MOST_OF_ONE = 64;
const MOST = 256;
const MOST_BYTES = 1024 * 1024;

interface Lane {
  size: number;
  running: number;
  readonly next: (() => void)[];
}

/** Makes it. */
export function createWaiting(): Waiting {
  const lanes = new Map<string, Lane>();
  const whenEmpty: (() => void)[] = [];
  let size = 0;
  let held = 0;

  function end(name: string, lane: Lane, bytes: number): void {
    size -= 1;
    held -= bytes;
    lane.size -= 1;
    lane.running -= 1;
    lane.next.shift()?.();
    if (lane.size === 0) lanes.delete(name);
    if (size === 0) for (const resolve of whenEmpty.splice(0)) resolve();
  }

  return {
    turn: (name, bytes) => {
      const lane = lanes.get(name) ?? { size: 0, running: 0, next: [] };
      if (size >= MOST || lane.size >= MOST_OF_ONE || held + bytes > MOST_BYTES) return undefined;
      lanes.set(name, lane);
      size += 1;
      held += bytes;
      lane.size += 1;
      return new Promise(resolve => {
        const begin = (): void => {
          lane.running += 1;
          resolve(() => end(name, lane, bytes));
        };
        if (lane.running < AT_ONCE) begin();
        else lane.next.push(begin);
      });
    },
    size: () => size,
    empty: () => (size === 0 ? Promise.resolve() : new Promise(resolve => void whenEmpty.push(resolve))),
  };
}
