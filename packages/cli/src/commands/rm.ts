import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { untilGone } from "../session/gone.ts";
import { deploymentId } from "../session/names.ts";
import { timeoutOption } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

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
