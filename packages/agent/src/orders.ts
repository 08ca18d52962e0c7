import type { DecodedAssignment } from "@skep/api/codec/assignment.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { takeAssignment } from "./intake.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { Orders } from "./loop.ts";

/** Holds what the node is to run, over the agent's own restarts. */
export interface OrderBook {
  orders(): Orders;
  /** Takes an assignment that arrived, or refuses it and says why in the log; it counts once it is on disk. */
  take(arrived: DecodedAssignment): void;
  /** A scheduler says that what is held is current. */
  confirm(): void;
  close(): void;
}

/** So long does a node that just started wait to hear whether what it had still belongs to it. */
const CONFIRM_WITHIN_MS = 30_000;

/**
 * Opens the book on what the journal holds. Until an assignment is confirmed, or 30 s have passed in which nobody did,
 * it is called unconfirmed. `onChange` is called whenever `orders` has changed.
 */
export function openOrders(deps: {
  readonly journal: Journal;
  readonly entry: JournalEntry;
  /** The life of the node that this is; written beside the assignment once that is confirmed. */
  readonly bootId: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}): OrderBook {
  const { journal, nodeId, clock, log, onChange } = deps;
  let entry: JournalEntry = { ...deps.entry, bootId: deps.bootId };
  let saved = deps.entry.bootId === deps.bootId;
  let orders: Orders = { assignment: entry.assignment, confirmed: false, unreadable: [] };
  /** Assignments are taken one after the other, so that a slow disk cannot put an older one on top. */
  let taking: Promise<void> = Promise.resolve();

  async function takeNow({ assignment: next, unreadable }: DecodedAssignment): Promise<void> {
    const taken = takeAssignment(entry, next, nodeId);
    const fields = { term: next.term, revision: next.revision };
    if (taken.kind === "refused")
      return log.warn("assignment.refused", `An assignment was refused: ${taken.because}.`, fields);
    if (taken.kind === "accepted") {
      for (const fenced of taken.fenced) {
        log.warn("instance.fenced", `${fenced} is not run: this node has seen a newer placement of it.`, fields);
      }
      entry = taken.entry;
      saved = false;
      log.info("assignment.taken", `Working by term ${next.term}, revision ${next.revision}.`, {
        ...fields,
        instances: next.instances.length,
      });
    }
    // On disk first: a fence that a crash could take away would be none.
    await save();
    cancel();
    orders = { assignment: entry.assignment, confirmed: true, unreadable };
    onChange();
  }

  async function save(): Promise<void> {
    if (saved) return;
    try {
      await journal.write(entry);
      saved = true;
    } catch (error) {
      log.error("journal.unwritable", "The assignment could not be kept on disk; a restart would forget it.", {
        error,
      });
    }
  }

  function confirm(): void {
    cancel();
    if (orders.confirmed) return;
    orders = { ...orders, confirmed: true };
    taking = taking.then(save);
    onChange();
  }

  const cancel = clock.timer(CONFIRM_WITHIN_MS, () => {
    log.warn("assignment.unconfirmed", "No scheduler answered: the node goes on by what it was last told.");
    confirm();
  });
  return {
    orders: () => orders,
    take: arrived => {
      taking = taking.then(() => takeNow(arrived));
    },
    confirm,
    close: cancel,
  };
}
