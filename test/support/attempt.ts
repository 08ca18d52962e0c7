/** What a hostile tenant tries, and what it gets. */
export interface Attempt<Input> {
  readonly attempt: string;
  readonly input: Input;
  /** What the answer has in it: a reason, a place, a sentence. */
  readonly answer: string;
}

/** Attempts of one kind, as `[what, input, answer]`. */
export function table<Input>(rows: readonly (readonly [string, Input, string])[]): readonly Attempt<Input>[] {
  return rows.map(([attempt, input, answer]) => ({ attempt, input, answer }));
}
