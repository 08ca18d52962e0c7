import { createHash } from "node:crypto";

/**
 * A fingerprint of a request: the same operation with the same arguments gives the same one,
 * whatever the order of keys.
 */
export function requestHash(operation: string, argument: unknown): string {
  return createHash("sha256")
    .update(`${operation} ${canonical(argument)}`)
    .digest("base64url");
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
}
