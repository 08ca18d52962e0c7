import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import type { Setup } from "./command.ts";

/** `skep pause`. */
export const pause: Setup = (command, io) => {
  examples(command.argument("<node...>", "nodes, by id or hostname"), [
    ["skep pause node-2", "keep what runs there and place nothing new"],
  ]);
  act(command, io, (session, _options: object, names: readonly string[]) =>
    changeNodes(
      session,
      names,
      request => session.api.nodes.pauseNode(request),
      hostname => `${hostname}: paused: it keeps what runs and takes nothing new`,
    ),
  );
};
