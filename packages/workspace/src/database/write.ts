import { MongoBulkWriteError, type Collection, type OptionalUnlessRequiredId, type WriteError } from "mongodb";
import { STORED } from "./connection.ts";
import { isDuplicate, isOfContent, mayPass, operationFailure, wordsOf } from "./failure.ts";

/** What became of a batch. */
export interface Written {
  /** Stored by this call. */
  readonly stored: number;
  /** Stored before under the same `_id`. */
  readonly duplicates: number;
  /** What can never be stored, by `_id`, and why. */
  readonly refused: ReadonlyMap<string, string>;
}

interface Keyed {
  readonly _id: string;
}

/**
 * Stores documents in one unordered insert. What fails because of a document is found and told;
 * everything else that fails rejects, and all may be stored again.
 */
export async function insertAll<T extends Keyed>(collection: Collection<T>, documents: readonly T[]): Promise<Written> {
  if (documents.length === 0) return { stored: 0, duplicates: 0, refused: new Map() };
  try {
    // Its type asks for an `_id` where there may be none; here there always is one.
    const all = documents as readonly unknown[] as readonly OptionalUnlessRequiredId<T>[];
    await collection.insertMany(all, { ordered: false, writeConcern: STORED });
    return { stored: documents.length, duplicates: 0, refused: new Map() };
  } catch (error) {
    if (error instanceof MongoBulkWriteError && isByDocument(error)) return sortErrors(error, documents);
    if (!isOfContent(error)) throw operationFailure("Storing", error);
    return insertHalves(collection, documents, error);
  }
}

/** Halves a batch that was refused as a whole, until the documents stand alone that are guilty. */
async function insertHalves<T extends Keyed>(
  collection: Collection<T>,
  documents: readonly T[],
  error: unknown,
): Promise<Written> {
  const [only] = documents;
  if (documents.length === 1 && only !== undefined)
    return { stored: 0, duplicates: 0, refused: new Map([[only._id, wordsOf(error)]]) };
  const middle = documents.length >> 1;
  const first = await insertAll(collection, documents.slice(0, middle));
  const second = await insertAll(collection, documents.slice(middle));
  return {
    stored: first.stored + second.stored,
    duplicates: first.duplicates + second.duplicates,
    refused: new Map([...first.refused, ...second.refused]),
  };
}

/** Whether the server took the batch and says of some documents that it did not store them. */
function isByDocument(error: MongoBulkWriteError): boolean {
  return error.result.getWriteConcernError() !== undefined || [error.writeErrors].flat().length > 0;
}

/**
 * Takes apart what the server said of each document. Whether a majority has them is said apart
 * from that, and holds for those too that were there before: one of them may be lost again with its
 * primary.
 */
function sortErrors(error: MongoBulkWriteError, documents: readonly Keyed[]): Written {
  const concern = error.result.getWriteConcernError();
  if (concern !== undefined) throw operationFailure("Storing", concern);
  const refused = new Map<string, string>();
  let duplicates = 0;
  const writeErrors: readonly WriteError[] = [error.writeErrors].flat();
  for (const one of writeErrors) {
    const code = Number(one.code);
    if (isDuplicate(code)) duplicates += 1;
    else if (mayPass(code)) throw operationFailure("Storing", error);
    else refused.set(documents[one.index]?._id ?? "", wordsOf(new Error(one.errmsg)));
  }
  return { stored: documents.length - writeErrors.length, duplicates, refused };
}
