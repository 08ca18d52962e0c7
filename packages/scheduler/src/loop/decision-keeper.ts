import type { Decision } from "@skep/core/model/decision.ts";
import type { LoopPorts, Running } from "./ports.ts";

/** Writes down why things were done, beside the loop that does them. */
export interface DecisionKeeper extends Running {
  /**
   * Takes decisions to be written; waits only where many are unwritten. @throws the error of an
   * earlier write, once, so that its outage is seen and told; what that write held is lost.
   */
  keep(decisions: readonly Decision[]): Promise<void>;
}

/** Placements of a busy time share a write: the next one begins this long after the one before. */
const GAP_MS = 50;
/** With more of them unwritten the database does not keep up, and decisions wait for it. */
const MOST_UNWRITTEN = 1_000;

/** Makes one without anything to write. */
export function createDecisionKeeper({ store, clock }: Pick<LoopPorts, "store" | "clock">): DecisionKeeper {
  const closing = new AbortController();
  let unwritten: Decision[] = [];
  let failure: { readonly error: unknown } | undefined;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    while (unwritten.length > 0) {
      const startedAt = clock.monotonic();
      const batch = unwritten;
      unwritten = [];
      await store.saveDecisions(batch).catch((error: unknown) => void (failure = { error }));
      await clock.sleep(startedAt + GAP_MS - clock.monotonic(), closing.signal);
    }
    writing = undefined;
  }

  return {
    keep: async decisions => {
      unwritten.push(...decisions);
      if (unwritten.length > 0) writing ??= write();
      if (unwritten.length > MOST_UNWRITTEN) await writing;
      const failed = failure;
      failure = undefined;
      if (failed !== undefined) throw failed.error;
    },
    close: async () => {
      closing.abort();
      await writing;
    },
  };
}
