import type { Store } from "@skep/scheduler/store/store.ts";

/** How many repairs of each kind a drift calls for. */
export interface Repairs {
  readonly statuses: number;
  readonly rows: number;
  readonly strangers: number;
}

/**
 * A store that counts what the reconcile repairs through it, so that nobody has to ask the database
 * whether it is done.
 */
export interface CountingStore {
  readonly store: Store;
  /** Counts from zero again; called before something is made to differ. */
  reset(): void;
  /**
   * Ms from `begin` until that many of each kind are repaired since `reset`; `undefined` where
   * repairs had begun before, because the reconcile's own minute came in between.
   */
  until(begin: () => void, expected: Repairs): Promise<number | undefined>;
  /** Ms from `begin` until so many reports were saved and examined. */
  settled(begin: () => Promise<void>, reports: number): Promise<number>;
}

const TOO_LATE_MS = 300_000;

/** Wraps the store. */
export function countRepairs(records: Store): CountingStore {
  let seen = { statuses: 0, rows: 0, strangers: 0, saved: 0, examined: 0 };
  let onCount: () => void = () => undefined;
  const count = (kind: keyof typeof seen): void => {
    seen[kind] += 1;
    onCount();
  };
  const reset = (): void => {
    seen = { statuses: 0, rows: 0, strangers: 0, saved: 0, examined: 0 };
  };
  const wait = async (begin: () => void | Promise<void>, isDone: () => boolean): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const tooLate = setTimeout(
      () => reject(new Error(`not done after 5 minutes: ${JSON.stringify(seen)}`)),
      TOO_LATE_MS,
    );
    onCount = () => void (isDone() && resolve());
    const startedAt = performance.now();
    try {
      await begin();
      onCount();
      await promise;
    } finally {
      clearTimeout(tooLate);
    }
    return performance.now() - startedAt;
  };
  const store: Store = {
    ...records,
    saveReport: async (report, now) => {
      const saved = await records.saveReport(report, now);
      count("saved");
      if (saved.changed) count("statuses");
      return saved;
    },
    loadEvidence: async (nodeId, instanceIds) => {
      const answer = await records.loadEvidence(nodeId, instanceIds);
      count("examined");
      return answer;
    },
    restoreLocation: async (location, mandate) => {
      const restored = await records.restoreLocation(location, mandate);
      count("rows");
      return restored;
    },
    saveRemovals: async (removals, mandate, now) => {
      const raised = await records.saveRemovals(removals, mandate, now);
      for (const _ of removals) count("strangers");
      return raised;
    },
  };
  return {
    store,
    reset,
    until: async (begin, expected) => {
      const hadBegun = seen.statuses + seen.rows + seen.strangers > 0;
      const ms = await wait(
        begin,
        () => seen.statuses >= expected.statuses && seen.rows >= expected.rows && seen.strangers >= expected.strangers,
      );
      return hadBegun ? undefined : ms;
    },
    settled: (begin, reports) => {
      reset();
      return wait(begin, () => seen.saved >= reports && seen.examined >= reports);
    },
  };
}
