import { SkepError } from "@skep/core/error.ts";
import type { Session } from "./open.ts";
import { isNotFound } from "./transient.ts";

const POLL_MS = 200;

/**
 * Waits until nothing of a deployment is left. @throws SkepError `deadline_exceeded`
 * `STILL_LEAVING`.
 */
export async function untilGone(session: Session, id: string, until: number): Promise<void> {
  while (!session.io.signal.aborted && (await exists(session, id))) {
    if (session.io.now() > until)
      throw new SkepError(
        "deadline_exceeded",
        "STILL_LEAVING",
        `${id} is marked for removal, and something of it still runs. \`skep describe ${id}\` shows what.`,
      );
    await session.io.sleep(POLL_MS);
  }
}

async function exists(session: Session, deploymentId: string): Promise<boolean> {
  try {
    await session.api.deployments.getDeployment({ deploymentId });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
