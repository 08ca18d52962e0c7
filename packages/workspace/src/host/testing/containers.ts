import type { AssignedWorkspace } from "@skep/core/workspace/host-assignment.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { ContainerFactory, ReadLease } from "../container.ts";

/** A container that does nothing but say whether it may read. */
export interface TestContainer {
  readonly workspace: AssignedWorkspace;
  readonly lease: ReadLease;
  isClosed: boolean;
  /** As it was closed its workspace was dropped. */
  isDropped: boolean;
  updates: number;
}

/** Containers in memory, and what becomes of the next ones. */
export interface TestContainers extends ContainerFactory {
  /** All that were begun, the closed ones too. */
  readonly all: TestContainer[];
  /** Those that read at this moment, as `workspace@epoch`. */
  reading(): readonly string[];
  /** What keeps the next ones from beginning; empty for nothing. */
  failure: string;
  /** How long the next ones take to begin and to end. */
  startMs: number;
  closeMs: number;
}

/** Makes them. */
export function createTestContainers(clock: Clock): TestContainers {
  const made: TestContainers = {
    all: [],
    failure: "",
    startMs: 0,
    closeMs: 0,
    reading: () =>
      made.all.flatMap(one =>
        !one.isClosed && one.lease.mayRead() ? [`${one.workspace.id}@${one.workspace.epoch}`] : [],
      ),
    start: async (workspace, lease) => {
      if (made.startMs > 0) await clock.sleep(made.startMs);
      if (made.failure !== "") throw new Error(made.failure);
      const container: TestContainer = { workspace, lease, isClosed: false, isDropped: false, updates: 0 };
      made.all.push(container);
      return {
        update: async () => void (container.updates += 1),
        isHealthy: () => true,
        lastError: () => "",
        counts: () => ({ stored: 1 }),
        close: async (isDropped = false) => {
          Object.assign(container, { isClosed: true, isDropped });
          if (made.closeMs > 0) await clock.sleep(made.closeMs);
        },
      };
    },
  };
  return made;
}
