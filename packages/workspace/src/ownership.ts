import type { Clock } from "@skep/kit/clock.ts";

/** How often a process that lost its workspace asks whether it has it again. */
const FENCED_MS = 50;

/** Waits while the workspace is not this process's. Answers whether it is; `false` at the end. */
export async function owned(mayRead: () => boolean, clock: Clock, ending: AbortSignal): Promise<boolean> {
  while (!mayRead() && !ending.aborted) await clock.sleep(FENCED_MS, ending);
  return !ending.aborted;
}
