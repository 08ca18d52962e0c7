import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

/** `skep restart`. */
export const restart: Setup = (command, io) => {
  command.argument("<name...>", "deployments");
  waitOptions(command);
  examples(command, [["skep restart web", "replace every instance, as its update policy says"]]);
  act(command, io, async (session, options: WaitOptions, names: readonly string[]) => {
    const changed = await changeEach(
      session,
      names,
      request => session.api.deployments.restartDeployment(request),
      (id, deployment) => `${id}: restarts as release ${deployment?.release}`,
    );
    await waitFor(session, changed, options);
  });
};
