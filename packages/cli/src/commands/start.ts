import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

/** `skep start`. */
export const start: Setup = (command, io) => {
  command.argument("<name...>", "deployments");
  waitOptions(command);
  examples(command, [["skep start web", "run it again after `skep stop web`"]]);
  act(command, io, async (session, options: WaitOptions, names: readonly string[]) => {
    const changed = await changeEach(
      session,
      names,
      request => session.api.deployments.startDeployment(request),
      id => `${id}: starts`,
    );
    await waitFor(session, changed, options);
  });
};
