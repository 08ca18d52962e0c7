import type { Schema } from "./schema.ts";

/** The schema of messages for which there is no other. */
const DEFAULT = "default";

/**
 * The schema by which a message is read: that of its category and type, such as
 * `telemetry.location`, else that of its category, else the one named `default`; `undefined` where
 * there is none of them.
 */
export function chooseSchema(
  schemas: ReadonlyMap<string, Schema>,
  { category, type }: { readonly category: string; readonly type: string },
): Schema | undefined {
  const exact = type === "" ? undefined : schemas.get(`${category}.${type}`);
  return exact ?? schemas.get(category) ?? schemas.get(DEFAULT);
}
