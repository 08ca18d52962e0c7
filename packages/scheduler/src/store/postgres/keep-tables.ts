import { SkepError } from "@skep/core/error.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Log } from "@skep/kit/log.ts";
import type { LeaseStore } from "../store.ts";

/** What keeping the tables needs. */
export interface KeepTables {
  readonly store: Pick<LeaseStore, "readLease">;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes the tables; comes back once they are there. */
  readonly migrate: () => Promise<void>;
}

const LOOK_EACH_MS = 2_000;

/**
 * Makes the tables again where the database lost them while this process ran: its volume was empty
 * after a restart, or somebody dropped it. The new database is another incarnation, and the
 * records' guard keeps it from deciding anything. Ends when `signal` says so.
 */
export async function keepTables({ store, clock, log, migrate }: KeepTables, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(LOOK_EACH_MS, signal);
    if (signal.aborted || !(await areMissing(store))) continue;
    log.error("database.emptied", "The tables are gone; they are made again, and then `skep recover` is needed.");
    // What fails is looked at again: a database that is away is told by the other loops.
    await migrate().catch((error: unknown) => log.warn("database.unmade", "The tables were not made.", { error }));
  }
}

async function areMissing(store: KeepTables["store"]): Promise<boolean> {
  try {
    await store.readLease();
    return false;
  } catch (error) {
    return error instanceof SkepError && error.reason === "DATABASE_NOT_READY";
  }
}
