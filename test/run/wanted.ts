/** The kinds of test that `npm test` runs, in this order. */
export const PROJECTS = ["unit", "simulation", "integration", "swarm"] as const;
/** Those, and the one that runs only where it is asked for: its tests take minutes each. */
export const KINDS = [...PROJECTS, "long"] as const;

/** A kind of test, a vitest project. */
export type Project = (typeof KINDS)[number];

/** What a run was asked for. `patterns` and `name` narrow it; empty and absent mean everything. */
export interface Wanted {
  readonly projects: readonly Project[];
  /** Parts of test files' paths. */
  readonly patterns: readonly string[];
  /** A regular expression over tests' names. */
  readonly name: string | undefined;
  /** The checks come first only where nothing was named. */
  readonly checks: boolean;
}

/** The text of `npm test -- --help`. */
export const USAGE = `npm test -- [KIND ...] [PATH ...] [-t NAME]

Without arguments: the checks, then every kind of test but "long"; the last line counts them.

  KIND     ${KINDS.join(", ")}
  PATH     a test file, a folder, or a part of a path: packages/core/src/decide
  -t NAME  only tests whose name matches
`;

/**
 * Reads the arguments of a test run.
 * @throws Error with a sentence for the person, for an option that is not known.
 */
export function readWanted(argv: readonly string[]): Wanted | "help" {
  const projects: Project[] = [];
  const patterns: string[] = [];
  let name: string | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? "";
    const project = KINDS.find(one => one === word);
    if (word === "--help" || word === "-h") return "help";
    if (word === "-t") {
      index += 1;
      name = argv[index];
      if (name === undefined) throw new Error("-t needs the name of a test after it.");
    } else if (word.startsWith("-")) throw new Error(`${word} is not known.\n\n${USAGE}`);
    else if (project !== undefined) projects.push(project);
    else patterns.push(word);
  }
  return {
    projects: projects.length > 0 ? projects : patterns.length > 0 ? KINDS : PROJECTS,
    patterns,
    name,
    checks: argv.length === 0,
  };
}
