import type { Command } from "commander";
import type { Io } from "../io.ts";

/**
 * Gives a command its arguments, options, examples and action. `all` is the list that it stands in.
 */
export type Setup = (command: Command, io: Io, all: readonly CommandEntry[]) => void;

/** A command by name; its module is loaded when it is asked for. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  load(): Promise<Setup>;
}
