import type { DeadLetter, MessageDocument } from "../message.ts";
import { UnstorableError } from "../unstorable.ts";
import type { Collections } from "./collections.ts";
import { operationFailure, wordsOf } from "./failure.ts";
import type { Held } from "./held.ts";
import { cutLetter, toStoredLetter } from "./models/dead-letters.ts";
import { importInto, type PortableDocument } from "./portable.ts";
import type { CollectionName } from "./query/run.ts";
import { recallKeys } from "./recall.ts";
import type { SizeLimit } from "./size.ts";
import { insertAll, type Written } from "./write.ts";

/** What stores for a workspace, and counts what it did. */
export interface Storing {
  store(documents: readonly MessageDocument[]): Promise<void>;
  bury(letters: readonly DeadLetter[]): Promise<void>;
  recall(prefixes: readonly string[], within: number): Promise<ReadonlyMap<string, string>>;
  importAll(collection: CollectionName, documents: readonly PortableDocument[]): Promise<Written>;
  counts(): Readonly<Record<string, number>>;
  /** Why the last write failed; empty where it did not. */
  lastFailure(): string;
}

/** Stores into the collections that are held, as long as there is room. */
export function createStoring(held: Held, size: SizeLimit): Storing {
  const numbers = { stored: 0, duplicates: 0, buried: 0, refused: 0, failures: 0 };
  let lastFailure = "";

  async function write(work: (collections: Collections) => Promise<Written>): Promise<Written> {
    try {
      const written = await held.use(async collections => {
        await size.check();
        return work(collections);
      });
      size.grew(written.stored);
      lastFailure = "";
      return written;
    } catch (error) {
      numbers.failures += 1;
      lastFailure = wordsOf(error);
      throw operationFailure("Storing", error);
    }
  }

  async function store(documents: readonly MessageDocument[]): Promise<void> {
    const written = await write(({ messages }) => insertAll(messages, documents));
    numbers.stored += written.stored;
    numbers.duplicates += written.duplicates;
    numbers.refused += written.refused.size;
    if (written.refused.size > 0) throw new UnstorableError(written.refused);
  }

  async function bury(letters: readonly DeadLetter[]): Promise<void> {
    const written = await write(({ deadLetters }) => insertAll(deadLetters, letters.map(toStoredLetter)));
    numbers.buried += written.stored;
    const cut = letters.filter(letter => written.refused.has(letter._id)).map(cutLetter);
    if (cut.length === 0) return;
    const again = await write(({ deadLetters }) => insertAll(deadLetters, cut));
    numbers.buried += again.stored;
    if (again.refused.size > 0) throw new UnstorableError(again.refused);
  }

  async function recall(prefixes: readonly string[], within: number): Promise<ReadonlyMap<string, string>> {
    try {
      return await held.use(collections => recallKeys(collections, prefixes, within));
    } catch (error) {
      lastFailure = wordsOf(error);
      throw error;
    }
  }

  const importAll: Storing["importAll"] = (name, documents) =>
    write(collections => importInto(collections, name, documents));

  return { store, bury, recall, importAll, counts: () => ({ ...numbers }), lastFailure: () => lastFailure };
}
