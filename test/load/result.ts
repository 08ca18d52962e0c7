/**
 * The outcome of one measurement. Values are texts with their unit last and no spaces, so that the
 * line stays readable by programs.
 */
export interface Result {
  readonly value: string;
  readonly baseline: string;
  /** Ours to the baseline, as the goal means it. */
  readonly ratio: number;
  readonly goal: string;
  readonly holds: boolean;
  /** Why it falls short, and what would change it; said only where it does. */
  readonly because: string | undefined;
  /** What the same run also measured, each with a line of its own: `P3-rate` for `rate`. */
  readonly also?: Readonly<Record<string, Result>>;
}

/** The outcomes of one measurement by the names of their lines. */
export function linesOf(name: string, result: Result): readonly (readonly [string, Result])[] {
  return [
    [name, result],
    ...Object.entries(result.also ?? {}).flatMap(([part, one]) => linesOf(`${name}-${part}`, one)),
  ];
}

/** The one line of a measurement: `P1 value=… baseline=… ratio=… goal=… holds|short`. */
export function resultLine(name: string, result: Result): string {
  const { value, baseline, ratio, goal, holds } = result;
  return `${name} value=${value} baseline=${baseline} ratio=${significant(ratio)} goal=${goal} ${holds ? "holds" : "short"}`;
}

/** A number with three significant digits; whole from 100 on. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** A duration for people and programs: `0.281ms`, `5.2ms`, `3.42s`. */
export function duration(ms: number): string {
  return ms < 1_000 ? `${significant(ms)}ms` : `${significant(ms / 1_000)}s`;
}

/** A rate for people and programs: `123456/s`, `8.7/s`. */
export function rate(perSecond: number): string {
  return `${significant(perSecond)}/s`;
}
