import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import type { Setup } from "./command.ts";

/** `skep node`. */
export const node: Setup = (command, io) => {
  examples(command, [
    ["skep node revoke node-2", "a stolen node: it is not heard any more, and what it ran is placed elsewhere"],
    ["skep node rejoin node-2", "let it come back, with a new key"],
  ]);
  const revoke = command.command("revoke").summary("Hear nothing more of nodes, and place elsewhere what they ran.");
  act(
    revoke.argument("<node...>", "nodes, by id or hostname"),
    io,
    (session, _options: object, names: readonly string[]) =>
      changeNodes(
        session,
        names,
        request => session.api.nodes.revokeNode(request),
        hostname => `${hostname}: is revoked; end its containers by hand if you still reach it`,
      ),
  );
  const rejoin = command.command("rejoin").summary("Let nodes join again, each with a new key.");
  act(
    rejoin.argument("<node...>", "nodes, by id or hostname"),
    io,
    (session, _options: object, names: readonly string[]) =>
      changeNodes(
        session,
        names,
        request => session.api.nodes.rejoinNode(request),
        hostname => `${hostname}: may join again: the key that its agent brings next is its own from then on`,
      ),
  );
};
