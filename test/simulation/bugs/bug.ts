/** A change of one text in one source file; the text must stand there exactly once. */
export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A bug that is planted into the programs on purpose, to see whether the rules find it. */
export interface Bug {
  /** Short and unique, in kebab-case: `--bug NAME`. */
  readonly name: string;
  /** What no longer holds, in a sentence. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** What the rule says that finds it; a bug may show in several ways. */
  readonly found: RegExp;
  /**
   * The scenario that shows it, for what seeds show seldom or never: the hunt plays it before the
   * seeds.
   */
  readonly scenario?: string;
  /** Only seeds with workspaces can show it. */
  readonly hasWorkspaces?: true;
  /** Only seeds with a project can show it. */
  readonly hasProject?: true;
  /** Caught within a few seeds: `npm test` proves it each time. */
  readonly quick?: true;
}
