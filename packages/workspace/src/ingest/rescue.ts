import type { DeadLetter, MessageDocument } from "../message.ts";
import type { Database } from "../parts.ts";
import { UnstorableError } from "../unstorable.ts";

/**
 * Stores documents and dead letters. A document that can never be stored becomes a dead letter, so
 * that it does not hold up the others. Answers how many letters there are; rejects where all of it
 * is to be tried again.
 */
export async function rescue(
  database: Pick<Database, "store" | "bury">,
  documents: readonly MessageDocument[],
  dead: readonly DeadLetter[],
): Promise<number> {
  const refused = documents.length === 0 ? [] : await refusedOf(() => database.store(documents), documents);
  const letters = [...dead, ...refused];
  if (letters.length > 0) await database.bury(letters);
  return letters.length;
}

async function refusedOf(
  store: () => Promise<void>,
  documents: readonly MessageDocument[],
): Promise<readonly DeadLetter[]> {
  try {
    await store();
    return [];
  } catch (error) {
    if (!(error instanceof UnstorableError)) throw error;
    return documents.flatMap(one => {
      const because = error.refused.get(one._id);
      return because === undefined ? [] : [letterOf(one, because)];
    });
  }
}

/** What came is gone by now, but for what was made of it: that is kept as JSON. */
function letterOf(document: MessageDocument, because: string): DeadLetter {
  const { _id, deviceId, category, type, receivedAt, value } = document;
  const text = JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? String(one) : one)) ?? "";
  const topic = `devices/${deviceId}/${category}${type === "" ? "" : `/${type}`}`;
  return { _id, topic, payload: Buffer.from(text), receivedAt, because };
}
