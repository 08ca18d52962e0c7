import { act, examples } from "../session/act.ts";
import { changeEach } from "../session/change.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

/** `skep stop`. */
export const stop: Setup = (command, io) => {
  command.argument("<name...>", "deployments");
  waitOptions(command);
  examples(command, [["skep stop web", "end its instances; `skep start web` brings them back"]]);
  act(command, io, async (session, options: WaitOptions, names: readonly string[]) => {
    const changed = await changeEach(
      session,
      names,
      request => session.api.deployments.stopDeployment(request),
      id => `${id}: stops`,
    );
    await waitFor(session, changed, options);
  });
};
