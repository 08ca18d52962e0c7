import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { LockHeldError, withLock } from "@skep/devswarm/lock.ts";

/**
 * Does `work` as the only start of this fleet. A second one would take the first one's tenants for
 * its own and take them down as it ends.
 * @throws Error that names the process of the other start, before anything is touched.
 */
export async function asOnlyStart(fleet: string, work: () => Promise<void>): Promise<void> {
  // Locks need /proc; where it is missing there are no fleets either.
  if (!existsSync("/proc/self/stat")) return work();
  const file = join(homedir(), ".config", "skep", fleet, "start.lock");
  try {
    await withLock(file, 1_000, work);
  } catch (error) {
    if (!(error instanceof LockHeldError) || error.file !== file) throw error;
    throw new Error(
      `Fleet ${fleet} belongs to another npm start (process ${error.pid ?? "unknown"}): nothing was touched. ` +
        "End that one first, or give yours a name and ports of its own: " +
        "npm start -- --fleet two --port 8081 --api-port 7701 --mqtt-port 1884",
    );
  }
}
