import { SkepError } from "@skep/core/error.ts";
import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { isNotFound } from "../session/transient.ts";
import { deploymentId } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { timeoutOption } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

const POLL_MS = 200;

/** `skep rm`. */
export const rm: Setup = (command, io) => {
  command
    .argument("<name...>", "deployments")
    .option("--no-wait", "do not wait until nothing of them is left")
    .addOption(timeoutOption("2m"));
  examples(command, [["skep rm web worker", "end their instances and forget them"]]);
  act(command, io, async (session, options: WaitOptions, names: readonly string[]) => {
    await changeEach(
      session,
      names,
      request => session.api.deployments.deleteDeployment(request).then(() => ({})),
      id => `${id}: is removed`,
    );
    const until = io.now() + options.timeout;
    if (options.wait) for (const name of names) await untilGone(session, deploymentId(session, name), until);
  });
};

async function untilGone(session: Session, id: string, until: number): Promise<void> {
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
