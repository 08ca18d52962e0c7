import type { Log } from "@skep/kit/log.ts";
import { makeReplicaSetReady, type ReplicaSetOptions } from "./make-ready.ts";

const AGAIN_MS = 2_000;

/** Makes a server a replica set of one, however long it takes; `signal` ends that. */
export async function untilReplicaSet(options: ReplicaSetOptions, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const done = await makeReplicaSetReady(options);
      return log.info("replica-set.ready", "MongoDB takes writes.", { done });
    } catch (error) {
      const because = (error as Error).message;
      log.warn("replica-set.unready", "MongoDB is not ready; it is tried again.", { because });
      await options.clock.sleep(AGAIN_MS, signal);
    }
  }
}
