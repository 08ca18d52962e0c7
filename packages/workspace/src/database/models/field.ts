import { SkepError } from "@skep/core/error.ts";

const FIELD = /^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,9}$/;

/**
 * Where a field of a message's value stands in its document; the value itself for an empty name.
 * @throws SkepError `invalid_argument` `FIELD_INVALID`.
 */
export function pathOf(field: string): string {
  if (field === "") return "value";
  if (FIELD.test(field)) return `value.${field}`;
  const says = `"${field.slice(0, 60)}" is no field; use names of letters, digits, _ and -, joined by dots.`;
  throw new SkepError("invalid_argument", "FIELD_INVALID", says);
}

/** The value at a field of a message's value; `undefined` where there is none. */
export function valueAt(value: unknown, field: string): unknown {
  if (field === "") return value;
  let found = value;
  for (const name of field.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}
