/**
 * What was sampled, by the name of the contestant; samples of the same index are of the same round.
 */
export type Samples<Name extends string> = Readonly<Record<Name, readonly number[]>>;

/**
 * Runs every contestant once per round and answers their samples. The order turns with each round,
 * so that what drifts on the machine (a warming cache, a neighbour) falls on all of them alike. A
 * warm-up of every contestant comes first, outside the rounds, where `warm` says so.
 */
export async function interleave<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, (round: number) => number | Promise<number>>>,
  warm = false,
): Promise<Samples<Name>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map(name => [name, [] as number[]])) as unknown as Record<Name, number[]>;
  if (warm) for (const name of names) await contestants[name](-1);
  for (let round = 0; round < rounds; round++) {
    const turn = round % names.length;
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      samples[name].push(await contestants[name](round));
    }
  }
  return samples;
}

/**
 * Ratio of two contestants' samples, round by round, so that each compares what ran side by side.
 */
export function ratios(over: readonly number[], under: readonly number[]): readonly number[] {
  return over.map((value, round) => value / (under[round] ?? Number.NaN));
}
