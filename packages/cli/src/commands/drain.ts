import { count } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { changeNodes } from "../session/change-nodes.ts";
import { shortName } from "../output/view.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./command.ts";

interface Options {
  readonly force?: boolean;
}

/** `skep drain`. */
export const drain: Setup = (command, io) => {
  command.argument("<node...>", "nodes, by id or hostname");
  command.option("--force", "also where Skep itself stops with the node: that of its database, the last manager");
  examples(command, [["skep drain node-2", "start its instances elsewhere, then stop them here"]]);
  act(command, io, async (session, { force = false }: Options, names: readonly string[]) => {
    await changeNodes(
      session,
      names,
      request => session.api.nodes.drainNode({ ...request, force }),
      hostname => `${hostname}: drains: its instances move elsewhere`,
    );
    if (!session.json) for (const name of names) await sayStaying(session, name);
  });
};

/** What has volume data on the node cannot move: no other node has it. */
async function sayStaying(session: Session, name: string): Promise<void> {
  const { volumes } = await session.api.volumes.listVolumes({});
  const here = volumes.filter(one => one.nodeId === name || one.nodeHostname === name);
  const staying = [...new Set(here.flatMap(one => one.instanceIds))].map(id => shortName(session, id));
  if (staying.length === 0) return;
  const verb = staying.length === 1 ? "stays, since its" : "stay, since their";
  session.io.out(
    `${name}: ${count(staying.length, "instance")} ${verb} volume data is here: ${staying.join(" ")}. ` +
      `Without routes once the node's agent has left; \`skep activate ${name}\` when the work on it is done.\n`,
  );
}
