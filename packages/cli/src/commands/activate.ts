import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import type { Setup } from "./command.ts";

/** `skep activate`. */
export const activate: Setup = (command, io) => {
  examples(command.argument("<node...>", "nodes, by id or hostname"), [
    ["skep activate node-2", "undo a drain or a pause"],
  ]);
  act(command, io, (session, _options: object, names: readonly string[]) =>
    changeNodes(
      session,
      names,
      request => session.api.nodes.activateNode(request),
      hostname => `${hostname}: active: it takes work`,
    ),
  );
};
