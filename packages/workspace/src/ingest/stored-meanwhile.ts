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
  const [first] = prefixes;
  if (first === undefined) return new Set();
  const known = await database.recall(prefixes, within);
  const ours = new Set(own);
  // All beginnings have one length.
  const end = KEY_ORDER_LENGTH + first.length;
  return new Set(
    own.filter(key => {
      const stored = known.get(key.slice(KEY_ORDER_LENGTH, end));
      return stored !== undefined && !ours.has(stored);
    }),
  );
}
