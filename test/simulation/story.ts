import type { Outcome } from "./simulate.ts";

const MOST = 60;
/** What a story is never told without. */
const PLOT = /^ *[\d.]+ {2}(FAULT|CALM|REPAIR|VIOLATION|\S+ (starts|ends)$)/;
/** The bare traffic; `--trace` shows it. */
const TRAFFIC = /^ *[\d.]+ {2}\S+ (> \S+ |db )/;

/**
 * What led to a violation, in few lines: the last faults and lives, and whatever was said, decided
 * or done about the instances, nodes and schedulers that the violation names.
 */
export function story({ seed, violation, trace }: Outcome): string {
  const names = new Set(violation?.match(/\b(node-\d|scheduler-\d|[a-z]+\.[\w-]+(\.\d+)?)/g) ?? []);
  const isAbout = (line: string): boolean => [...names].some(name => line.includes(name));
  const told = trace.filter(line => PLOT.test(line) || (!TRAFFIC.test(line) && isAbout(line))).map(brief);
  const cut = told.length > MOST ? [`  ... ${told.length - MOST} lines before these`] : [];
  return [
    `Seed ${seed}: ${violation ?? "every rule holds"}`,
    ...cut,
    ...told.slice(-MOST),
    `Its steps: npm run sim -- --seed ${seed} --trace`,
  ].join("\n");
}

/** A log line without its fields, whose sentence says the same. */
function brief(line: string): string {
  return / (info|warn|error) /.test(line) ? line.replace(/ \{".*$/, "") : line;
}
