import type { HostAssignment } from "@skep/core/workspace/host-assignment.ts";
import type { HostId } from "@skep/core/workspace/host.ts";
import type { Clock } from "@skep/kit/clock.ts";
import type { Loops } from "@skep/kit/loops.ts";
import type { HostApi } from "./host-api.ts";

/** What attaching works with. */
export interface AttachOptions {
  readonly api: HostApi;
  readonly clock: Clock;
  readonly loops: Loops;
  readonly hostId: HostId;
  readonly onAssignment: (assignment: HostAssignment) => void;
}

/** Listens to what this host is to run, over any number of streams, one after the other. */
export interface Attachment {
  /** The present stream tells nothing any more: another one is opened. */
  renew(): void;
  close(): Promise<void>;
}

/** Also after a stream that ended well, so that nothing turns in a circle. */
const PAUSE_MS = 100;
const RETRY = { baseMs: 100, maxMs: 1_000 };

/** Begins at once, and tries for ever. */
export function attach({ api, clock, loops, hostId, onAssignment }: AttachOptions): Attachment {
  const outage = loops.watch("attach", { retry: RETRY });
  const closing = new AbortController();
  let leaving = new AbortController();

  async function listen(): Promise<number> {
    leaving = new AbortController();
    const mine = leaving.signal;
    const signal = AbortSignal.any([mine, closing.signal]);
    try {
      for await (const assignment of api.attach(hostId, signal)) {
        if (signal.aborted) break;
        outage.succeeded();
        onAssignment(assignment);
      }
      return PAUSE_MS;
    } catch (error) {
      return signal.aborted ? PAUSE_MS : outage.failed(error);
    }
  }

  const listening = (async () => {
    while (!closing.signal.aborted) await clock.sleep(await listen(), closing.signal);
  })();
  return {
    renew: () => leaving.abort(),
    close: async () => {
      closing.abort();
      await listening;
      outage.close();
    },
  };
}
