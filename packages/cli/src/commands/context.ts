import { SkepError } from "@skep/core/error.ts";
import { renderTable } from "../output/table.ts";
import { examples } from "../session/act.ts";
import { contextPath, readContexts, writeContexts } from "../session/context.ts";
import type { Setup } from "./command.ts";

/** `skep context`. */
export const context: Setup = (command, io) => {
  examples(command, [
    ["skep context list", "the platforms you know"],
    ["skep context use prod", "talk to that one from now on"],
    ["skep context rm old", "forget one"],
  ]);
  const known = (name: string): ReturnType<typeof readContexts> => {
    const file = readContexts(io);
    if (Object.hasOwn(file.contexts, name)) return file;
    throw new SkepError(
      "not_found",
      "CONTEXT_UNKNOWN",
      `There is no context \`${name}\` in ${contextPath(io)}. Known are: ${Object.keys(file.contexts).join(", ") || "none"}.`,
    );
  };
  command
    .command("list")
    .alias("ls")
    .summary("List known platforms.")
    .action(() => {
      const { contexts, current } = readContexts(io);
      const rows = Object.entries(contexts).map(([name, one]) => [
        name === current ? "*" : "",
        name,
        one.url,
        one.tenant ?? "default",
        one.tokenFile ?? "none",
      ]);
      io.out(
        renderTable(
          ["", "NAME", "URL", "TENANT", "TOKEN FILE"].map(heading => ({ heading })),
          rows,
        ),
      );
    });
  command
    .command("use")
    .summary("Choose the platform to talk to.")
    .argument("<name>", "the context")
    .action((name: string) => {
      writeContexts(io, { ...known(name), current: name });
      io.out(`${name} is the current context\n`);
    });
  command
    .command("rm")
    .summary("Forget a platform; its token file stays.")
    .argument("<name>", "the context")
    .action((name: string) => {
      const { contexts, current } = known(name);
      const rest = Object.fromEntries(Object.entries(contexts).filter(([one]) => one !== name));
      writeContexts(io, { contexts: rest, ...(current === undefined || current === name ? {} : { current }) });
      io.out(`${name} is forgotten\n`);
    });
};
