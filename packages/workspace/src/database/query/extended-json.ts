import { BSON } from "mongodb";

/** Kinds of value that JSON lacks, as Extended JSON writes them: one key, and nothing beside it. */
const KINDS: ReadonlySet<string> = new Set([
  ...["$date", "$oid", "$binary", "$uuid", "$numberInt", "$numberLong", "$numberDouble", "$numberDecimal"],
]);

/**
 * A query with the values that its Extended JSON means. Only plain kinds are read: code and
 * patterns in forms of their own stay as they came, and are refused then.
 * @throws Error where a kind has no value that fits.
 */
export function fromExtendedJson(query: unknown): unknown {
  if (Array.isArray(query)) return query.map(fromExtendedJson);
  if (typeof query !== "object" || query === null || !isFromJson(query)) return query;
  const entries = Object.entries(query);
  const [first] = entries;
  if (entries.length === 1 && first !== undefined && KINDS.has(first[0]))
    return BSON.EJSON.deserialize({ value: query }, { relaxed: true }).value;
  return Object.fromEntries(entries.map(([key, value]) => [key, fromExtendedJson(value)]));
}

function isFromJson(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
