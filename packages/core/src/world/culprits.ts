/** Of whom nothing is decided, since their records make a decision throw; with what was thrown. */
export type Aside = ReadonlyMap<string, unknown>;

/** What a decision is made on, as far as one is looked for whose records make it throw. */
export interface Suspects<T> {
  readonly ids: readonly string[];
  readonly records: T;
  /** The records of some of them, with all that belongs to nobody. */
  partOf(records: T, ids: ReadonlySet<string>): T;
  /** Throws where the records of one make it. */
  decide(records: T): unknown;
}

/**
 * Who makes a decision throw by records of their own. Each round halves who is left, so that one
 * among thousands costs about as much as deciding a few times over. Where it throws only because
 * of several together nobody is found.
 */
export function culpritsOf<T>({ ids, records, partOf, decide }: Suspects<T>): Aside {
  const found = new Map<string, unknown>();
  const search = (some: readonly string[], among: T): void => {
    const thrown = thrownBy(() => decide(among));
    if (thrown === undefined || some.length === 0) return;
    if (some.length === 1) return void found.set(some[0]!, thrown.error);
    const middle = some.length >> 1;
    for (const half of [some.slice(0, middle), some.slice(middle)]) search(half, partOf(among, new Set(half)));
  };
  search(ids, records);
  return found;
}

function thrownBy(run: () => unknown): { readonly error: unknown } | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return { error };
  }
}
