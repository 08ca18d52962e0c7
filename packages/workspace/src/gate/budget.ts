/** How much all devices of a gate may have without an answer: each costs memory. */
export interface Budget {
  readonly isSpent: boolean;
  spend(): void;
  giveBack(count: number): void;
  /** Calls `look` once when something is given back. */
  wait(look: () => void): void;
  /** Waits no longer. */
  leave(look: () => void): void;
}

/** Makes one of so many messages. It counts, and forbids nothing: whoever spends asks before. */
export function createBudget(most: number): Budget {
  let spent = 0;
  const waiting = new Set<() => void>();
  return {
    get isSpent() {
      return spent >= most;
    },
    spend: () => void (spent += 1),
    giveBack: count => {
      spent -= count;
      // No more than have room: all of them at each message would be work without an end.
      let room = Math.min(count, most - spent);
      for (const look of waiting) {
        if (room-- <= 0) return;
        waiting.delete(look);
        look();
      }
    },
    wait: look => void waiting.add(look),
    leave: look => void waiting.delete(look),
  };
}
