/**
 * The word of an enum value as people read it: `RUNNING` is `running`; a number of a newer server
 * stays a number.
 */
export function enumWord(table: Readonly<Record<string, number | string>>, value: number): string {
  const found = Object.entries(table).find(([, one]) => one === value)?.[0];
  if (found === undefined) return String(value);
  return found === "UNSPECIFIED" ? "" : found.toLowerCase().replaceAll("_", "-");
}
