import type { Delivery } from "../channel/delivery.ts";
import { KEY_ORDER_LENGTH } from "../message.ts";
import type { Database } from "../parts.ts";
import type { KeyMaker } from "./key.ts";

/**
 * Of what has its keys already, and came by a connection that has ended since, the keys under which
 * it must not be stored: another owner was given it meanwhile, and has stored it under its own.
 */
export async function storedMeanwhile(
  database: Pick<Database, "recall">,
  keys: KeyMaker,
  deliveries: readonly Delivery[],
  own: readonly string[],
  within: number,
): Promise<ReadonlySet<string>> {
  const prefixes = deliveries.flatMap(one => keys.prefix({ ...one, isRepeated: true }) ?? []);
  if (prefixes.length === 0) return new Set();
  const known = await database.recall(prefixes, within);
  const ours = new Set(own);
  return new Set(
    own.filter(key => {
      const prefix = prefixes.find(one => key.startsWith(one, KEY_ORDER_LENGTH));
      const stored = prefix === undefined ? undefined : known.get(prefix);
      return stored !== undefined && !ours.has(stored);
    }),
  );
}
