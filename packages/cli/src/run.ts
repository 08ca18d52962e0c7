import { VERSION } from "@skep/api/gen/version.ts";
import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands/index.ts";
import type { CommandEntry } from "./commands/command.ts";
import { Ended, INTERRUPTED, USAGE } from "./exit-code.ts";
import type { Io } from "./io.ts";
import { reportFailure } from "./failure.ts";
import { guarded } from "./output/terminal.ts";

const EXAMPLES = `
Begin with:
  skep status                      how the platform is
  skep deploy -f compose.yaml      run what a Compose file describes
  skep apps                        what is deployed, and how far it is
  skep logs web -f                 what it prints

\`skep COMMAND --help\` has examples for each. SKEP_URL and SKEP_TOKEN_FILE, or \`skep login\`, say which platform.`;

/** Runs one command line (without the program's own name) and answers the exit code. */
export async function run(argv: readonly string[], given: Io): Promise<number> {
  const io = guarded(given);
  try {
    const program = await createProgram(argv, io);
    if (argv.length === 0) {
      io.out(program.helpInformation() + EXAMPLES + "\n");
      return 0;
    }
    const [first, about] = argv;
    if (first === "help" && about !== undefined && !program.commands.some(one => isCalled(one, about)))
      program.error(`unknown command '${about}'`);
    await program.parseAsync([...argv], { from: "user" });
    return io.signal.aborted ? INTERRUPTED : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof Ended) return error.exitCode;
    // Whatever was cut off by Ctrl-C is no failure of its own.
    if (io.signal.aborted) return INTERRUPTED;
    return reportFailure(error, io, argv);
  }
}

/**
 * The program with every command named, and only the one that is asked for loaded: start-up is felt
 * every time.
 */
export async function createProgram(argv: readonly string[], io: Io): Promise<Command> {
  const program = new Command("skep")
    .description("Runs containers of many tenants on a Docker Swarm.")
    .version(VERSION, "-V, --version", "Print the version.")
    .helpOption("-h, --help", "Show help, with examples.")
    .helpCommand("help [COMMAND]", "Show help for a command.")
    .addHelpText("after", EXAMPLES);
  calm(program, io);
  const wanted = argv[0] === "help" ? argv[1] : argv.find(word => !word.startsWith("-"));
  for (const entry of COMMANDS) await addCommand(program, entry, entry.name === wanted, io);
  return program;
}

async function addCommand(program: Command, entry: CommandEntry, load: boolean, io: Io): Promise<void> {
  const command = program.command(entry.name, entry.hidden === true ? { hidden: true } : {}).summary(entry.summary);
  command.description(entry.summary).helpOption("-h, --help", "Show this.");
  calm(command, io);
  if (load) (await entry.load())(command, io, COMMANDS);
  for (const nested of command.commands) calm(nested, io);
}

/** Lets commander neither end the process nor write past `io`. */
function calm(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: text => io.out(text),
    writeErr: text => io.err(text),
    getOutHelpWidth: () => Math.min(io.width, 110),
    getErrHelpWidth: () => Math.min(io.width, 110),
    outputError: (text, write) => write(`skep: ${advised(text, command)}\n`),
  });
}

function isCalled(command: Command, word: string): boolean {
  return command.name() === word || command.aliases().includes(word);
}

/**
 * What commander says, in our words where it names its own parts, and with the way out where it
 * has none.
 */
function advised(text: string, command: Command): string {
  const said = text
    .replace(/^error: /, "")
    .replace(/^command-argument value '(.*)' is invalid for argument '.*'\./s, "argument '$1' is wrong.")
    .trim();
  if (/Did you mean|\. [A-Z]/s.test(said)) return said;
  const help = command.parent === null ? "skep help" : `${pathOf(command)} --help`;
  return `${said.replace(/\.$/, "")}. \`${help}\` shows ${command.commands.length > 0 ? "what there is" : "how"}.`;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
