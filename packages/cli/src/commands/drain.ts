import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import type { Setup } from "./command.ts";

/** `skep drain`. */
export const drain: Setup = (command, io) => {
  examples(command.argument("<node...>", "nodes, by id or hostname"), [
    ["skep drain node-2", "start its instances elsewhere, then stop them here"],
  ]);
  act(command, io, (session, _options: object, names: readonly string[]) =>
    changeNodes(
      session,
      names,
      request => session.api.nodes.drainNode(request),
      hostname => `${hostname}: drains: its instances move elsewhere`,
    ),
  );
};
