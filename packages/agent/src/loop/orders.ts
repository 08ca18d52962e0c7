import type { Assignment } from "@skep/core/model/assignment.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import { takeAssignment } from "@skep/core/identity/intake.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { SetAside } from "./picture.ts";
import type { Orders } from "./loop.ts";

/** An assignment with every spec that is at hand. */
export interface Supplied {
  readonly assignment: Assignment;
  readonly setAside: readonly SetAside[];
  /** It may have been taken before, with fewer specs. */
  readonly completes: boolean;
}

/** What an order book is made from. */
export interface OrderBookDeps {
  readonly journal: Journal;
  /** What the journal held when the agent began. */
  readonly entry: JournalEntry;
  /** The life of the node that this is; written beside the assignment once that is confirmed. */
  readonly bootId: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called whenever `orders` has changed. */
  readonly onChange: () => void;
}

/** A node that just started waits this long for word whether what it had still belongs to it. */
const CONFIRM_WITHIN_MS = 30_000;

/**
 * Holds what the node is to run, over the agent's own restarts. Until an assignment is confirmed,
 * or 30 s have passed in which nobody did, it is called unconfirmed.
 */
export class OrderBook {
  readonly #deps: OrderBookDeps;
  readonly #cancel: () => void;
  #entry: JournalEntry;
  #saved: boolean;
  #orders: Orders;
  #refused = "";
  /**
   * Assignments are taken one after the other, so that a slow disk cannot put an older one on top.
   */
  #taking: Promise<void> = Promise.resolve();

  constructor(deps: OrderBookDeps) {
    const { entry, bootId, clock, log } = deps;
    this.#deps = deps;
    this.#entry = { ...entry, bootId };
    this.#saved = entry.bootId === bootId;
    this.#orders = { assignment: entry.assignment, confirmed: false, setAside: [] };
    this.#cancel = clock.timer(CONFIRM_WITHIN_MS, () => {
      log.warn("assignment.unconfirmed", "No scheduler answered: the node goes on by what it was last told.");
      this.confirm();
    });
  }

  /** What is to run, as far as is known. */
  orders(): Orders {
    return this.#orders;
  }

  /**
   * Takes an assignment that arrived, or refuses it and says why in the log; it counts once it is
   * on disk. Answers whether it is what the agent works by now.
   */
  take(arrived: Supplied): Promise<boolean> {
    const taken = this.#taking.then(() => this.#takeNow(arrived));
    this.#taking = taken.then(() => undefined);
    return taken;
  }

  /** A scheduler says that what is held is current. */
  confirm(): void {
    this.#cancel();
    if (this.#orders.confirmed) return;
    this.#orders = { ...this.#orders, confirmed: true };
    this.#taking = this.#taking.then(() => this.#save());
    this.#deps.onChange();
  }

  /** Why the last assignment that arrived was refused; `""` while none is. */
  refused(): string {
    return this.#refused;
  }

  /** What is remembered beyond a restart. */
  kept(): JournalEntry {
    return this.#entry;
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#cancel();
  }

  async #takeNow({ assignment: next, setAside, completes }: Supplied): Promise<boolean> {
    const { nodeId, log, onChange } = this.#deps;
    const taken = takeAssignment(this.#entry, next, nodeId, completes);
    const { term, revision } = next;
    if (taken.kind === "refused") {
      this.#refuse(taken.because, { term, revision });
      return false;
    }
    this.#refused = "";
    if (taken.kind === "accepted") {
      for (const fenced of taken.fenced) {
        const sentence = `${fenced} is not run: this node has seen a newer placement of it.`;
        log.warn("instance.fenced", sentence, { term, revision });
      }
      this.#entry = { ...this.#entry, ...taken.fences };
      this.#saved = false;
      const instances = next.instances.length;
      log.info("assignment.taken", `Working by term ${term}, revision ${revision}.`, { term, revision, instances });
    }
    // On disk first: a fence that a crash could take away would be none.
    await this.#save();
    this.#cancel();
    this.#orders = { assignment: this.#entry.assignment, confirmed: true, setAside };
    onChange();
    return true;
  }

  /** Said once, for a sender that is refused repeats itself. */
  #refuse(because: string, fields: { readonly term: number; readonly revision: number }): void {
    const level = this.#refused === because ? "debug" : "warn";
    this.#refused = because;
    this.#deps.log[level]("assignment.refused", `An assignment was refused: ${because}.`, fields);
  }

  async #save(): Promise<void> {
    if (this.#saved) return;
    try {
      await this.#deps.journal.write(this.#entry);
      this.#saved = true;
    } catch (error) {
      const sentence = "The assignment could not be kept on disk; a restart of the agent would forget it.";
      this.#deps.log.error("journal.unwritable", sentence, { error });
    }
  }
}
