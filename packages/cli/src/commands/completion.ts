import type { Command } from "commander";
import { examples } from "../session/act.ts";
import type { CommandEntry, Setup } from "./command.ts";
import { bashScript, fishScript, zshScript } from "../output/completion.ts";
import type { CompletionEntry } from "../output/completion.ts";

/** `skep completion`. */
export const completion: Setup = (command, io, all) => {
  examples(command, [
    ['eval "$(skep completion bash)"', "in ~/.bashrc"],
    ["skep completion zsh > ~/.zfunc/_skep", "in a directory of your fpath"],
    ["skep completion fish | source", "in config.fish"],
  ]);
  const shells = { bash: bashScript, zsh: zshScript, fish: fishScript };
  for (const [shell, script] of Object.entries(shells))
    command
      .command(shell)
      .summary(`For ${shell}.`)
      .action(async () => io.out(script(await loadEntries(command, all))));
};

/** Every command with its options and subcommands, read from the commands themselves. */
async function loadEntries(self: Command, all: readonly CommandEntry[]): Promise<readonly CompletionEntry[]> {
  const entries: CompletionEntry[] = [];
  for (const { name, summary, hidden, load } of all) {
    if (hidden === true) continue;
    const command = self.createCommand(name);
    (await load())(command, SILENT, all);
    entries.push({
      name,
      summary,
      options: command.options.flatMap(option => option.long ?? []),
      subcommands: command.commands.map(nested => nested.name()),
    });
  }
  return entries;
}

/** Commands are only looked at here, never run. */
const SILENT: Parameters<Setup>[1] = {
  env: {},
  cwd: "/",
  isTty: false,
  width: 100,
  signal: new AbortController().signal,
  out: () => undefined,
  err: () => undefined,
  now: () => 0,
  sleep: () => Promise.resolve(),
  readInput: () => "",
  readBytes: () => new Uint8Array(),
};
