import { isFilter, LONGEST_FILTER } from "./topic.ts";

/** Most levels of a filter of a socket: a device's topic has four. */
export const MOST_LEVELS = 16;

/** Most filters that one token may name. */
export const MOST_SCOPES = 50;

/** Whether a socket may ask for the filter at all, whatever its token says. */
export function isSocketFilter(filter: string): boolean {
  if (filter.length > LONGEST_FILTER || filter.startsWith("$") || !isFilter(filter)) return false;
  return filter.split("/").length <= MOST_LEVELS;
}

/** Whether every topic that `filter` means is one that `scope` means too. */
export function covers(scope: string, filter: string): boolean {
  const allowed = scope.split("/");
  const asked = filter.split("/");
  for (const [index, level] of allowed.entries()) {
    if (level === "#") return true;
    const wanted = asked[index];
    if (wanted === undefined || wanted === "#") return false;
    if (level !== "+" && level !== wanted) return false;
  }
  return asked.length === allowed.length;
}

/** Whether one of the scopes of a token covers the filter. */
export function isAllowed(scopes: readonly string[], filter: string): boolean {
  return scopes.some(scope => covers(scope, filter));
}
