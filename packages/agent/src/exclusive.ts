import type { ObservedContainer } from "@skep/core/model/observed.ts";
import { Cover } from "./guard/cover.ts";
import type { Guard } from "./guard/guard.ts";
import type { LeaseBook } from "./loop/loop.ts";
import { Leases, type LeasesDeps } from "./uplink/leases.ts";

/** All that keeps exclusive copies single on a node: their leases, and the guard that is told. */
export interface Exclusive extends LeaseBook {
  /** The assignment has changed. */
  hint(): void;
  /** Containers were looked at. */
  sync(): void;
  /** Ends all leases now, so that every exclusive copy stops. */
  giveUp(): void;
  /** Renews nothing any more; the guard keeps what it was told. */
  close(): Promise<void>;
}

/** Puts them together. */
export function createExclusive(
  deps: Omit<LeasesDeps, "onRenewed"> & {
    readonly guard: Guard;
    readonly containers: () => readonly ObservedContainer[];
  },
): Exclusive {
  const sync = (): void => (leases.seen(), cover.sync(deps.containers()));
  const leases: Leases = new Leases({ ...deps, onRenewed: () => cover.sync(deps.containers()) });
  const cover = new Cover({ ...deps, guardUntil: (...of) => leases.guardUntil(...of) });
  return {
    view: () => leases.view(),
    whyNot: (...of) => leases.whyNot(...of),
    beforeStart: (...of) => cover.beforeStart(...of),
    hint: () => leases.hint(),
    sync,
    giveUp: () => leases.giveUp(),
    close: async () => {
      await leases.close();
      cover.close();
    },
  };
}
