import type { BucketSize } from "@skep/core/workspace/bucket.ts";
import type { Clock } from "@skep/kit/clock.ts";
import { createAllowance } from "./allowance.ts";

/** What is used of a connection of Engine.IO. */
export interface Connection {
  readonly writeBuffer: { readonly length: number };
  on(name: "data", handle: () => void): unknown;
}

/** Packets that one connection may send, whatever its workspaces allow each of its sockets. */
export const PACKETS: BucketSize = { perSecond: 2_000, burst: 4_000 };

/** Answers that may wait for one connection, over what each of its sockets may have waiting. */
const MOST_WAITING = 4_000;

/**
 * Ends a connection that sends without end. Requests to join a workspace reach no socket and its
 * limits, and are answered all the same.
 */
export function boundConnection(connection: Connection, clock: Clock, end: () => void): void {
  const allowance = createAllowance(PACKETS, clock.monotonic());
  let isEnded = false;
  connection.on("data", () => {
    if (isEnded) return;
    if (connection.writeBuffer.length < MOST_WAITING && allowance.take(clock.monotonic())) return;
    isEnded = true;
    end();
  });
}
