import type { Netd, NetFault, NetState } from "./netd.ts";

/** The twin, with what a test asks of it and does to it. */
export interface MemoryNetd extends Netd {
  /** What it was told last. */
  told(): NetState | undefined;
  /** How often it was told something. */
  calls(): number;
  /** From now on, or no longer, it does not answer. */
  setAway(away: boolean): void;
  /** Faults that it finds besides its own. */
  setFaults(faults: readonly NetFault[]): void;
}

type Attachment = NonNullable<NetState["attachments"]>[number];

/** Makes it; `opens` says whether there is a network namespace at a path. */
export function createMemoryNetd(opens: (netns: string) => boolean = () => true): MemoryNetd {
  let [told, calls, isAway] = [undefined as NetState | undefined, 0, false];
  let more: readonly NetFault[] = [];

  function refuseOlder({ sessionId, revision = 0n }: NetState): void {
    if (told === undefined || told.sessionId !== sessionId || revision >= (told.revision ?? 0n)) return;
    throw new Error(`[failed_precondition] Revision ${revision} is older than ${told.revision}.`);
  }

  return {
    apply: async state => {
      if (isAway) throw new Error("connect ENOENT netd.sock");
      calls++;
      if (state.node === undefined) throw new Error("[invalid_argument] No node was told.");
      refuseOlder(state);
      told = state;
      const attachments: readonly Attachment[] = state.attachments ?? [];
      const closed = attachments.filter(one => !opens(one.netns ?? ""));
      const own = closed.map(({ instanceId = "", epoch = 0, netns }) => ({
        ...{ reason: "attachment-failed", instanceId, epoch },
        message: `${netns} cannot be opened`,
      }));
      return [...own, ...more];
    },
    told: () => told,
    calls: () => calls,
    setAway: away => {
      isAway = away;
    },
    setFaults: faults => {
      more = faults;
    },
  };
}
