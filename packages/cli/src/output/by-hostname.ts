/**
 * Orders what has a hostname as people count: `node-2` before `node-10`. The platform lists by id.
 */
export function byHostname(a: { readonly hostname: string }, b: { readonly hostname: string }): number {
  return a.hostname.localeCompare(b.hostname, "en", { numeric: true });
}
