/** What a person asked for. */
export interface LoadOptions {
  /** Names of the measurements to run, in the order in which they are listed. */
  readonly names: readonly string[];
  /** Only say what there is to measure. */
  readonly list: boolean;
  /** Fewer rounds: to see whether it works, not for figures to quote. */
  readonly quick: boolean;
}

/**
 * Reads `[P1 P3 ...] [--list] [--quick]`; without names it is all of the `known` ones.
 * @throws Error that names what is not known.
 */
export function readOptions(argv: readonly string[], known: readonly string[]): LoadOptions {
  const flags = argv.filter(argument => argument.startsWith("-"));
  const wanted = argv.filter(argument => !argument.startsWith("-")).map(name => name.toUpperCase());
  const strangeFlag = flags.find(flag => flag !== "--list" && flag !== "--quick");
  if (strangeFlag !== undefined) throw new Error(`unknown option ${strangeFlag}: there are --list and --quick`);
  const strange = wanted.find(name => !known.includes(name));
  if (strange !== undefined) throw new Error(`nothing to measure is called ${strange}: there are ${known.join(", ")}`);
  return {
    names: known.filter(name => wanted.length === 0 || wanted.includes(name)),
    list: flags.includes("--list"),
    quick: flags.includes("--quick"),
  };
}
