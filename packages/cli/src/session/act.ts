import type { Command } from "commander";
import type { Io } from "../io.ts";
import { connected, openSession } from "./open.ts";
import { explainUnreachable } from "./reach.ts";
import type { Session, SessionOptions } from "./open.ts";

/** A command that talks to the platform: gets the session options, and its action a session. */
export function act<A extends readonly unknown[], O>(
  command: Command,
  io: Io,
  run: (session: Session, options: O, ...args: A) => Promise<void>,
): Command {
  return connected(command).action(async (...given: unknown[]) => {
    // Commander hands over the arguments, then the options, then the command itself.
    const options = given.at(-2) as SessionOptions & O;
    const session = await openSession(io, options);
    try {
      await run(session, options, ...(given.slice(0, -2) as unknown as A));
    } catch (error) {
      throw explainUnreachable(error, session.url);
    }
  });
}

/** Adds examples to a command's help. */
export function examples(command: Command, lines: readonly (readonly [string, string])[]): Command {
  const width = Math.max(...lines.map(([line]) => line.length));
  const text = lines.map(([line, words]) => `  ${line.padEnd(width)}   ${words}`.trimEnd()).join("\n");
  return command.addHelpText("after", `\nExamples:\n${text}`);
}
