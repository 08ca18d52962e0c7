/**
 * Reads what stands at a path such as `gps.fix[0].lat`; `undefined` where nothing does. It sees a
 * message's own fields only, never what every object has.
 */
export function readPath(value: unknown, path: string): unknown {
  let at: unknown = value;
  for (const step of stepsOf(path)) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[step];
  }
  return at;
}

/** Whether a text is a path: names of letters, digits, `_` and `-`, and numbers in brackets. */
export function isPath(text: string): boolean {
  return text.length <= 256 && /^[\w-]+(\[\d{1,6}\])*(\.[\w-]+(\[\d{1,6}\])*)*$/.test(text);
}

const kept = new Map<string, readonly string[]>();
const MOST_KEPT = 10_000;

/** Taken apart once per path: rules read the same few for every message. */
function stepsOf(path: string): readonly string[] {
  const known = kept.get(path);
  if (known !== undefined) return known;
  const steps = path.split(/[.[\]]/).filter(step => step !== "");
  if (kept.size >= MOST_KEPT) kept.clear();
  kept.set(path, steps);
  return steps;
}
