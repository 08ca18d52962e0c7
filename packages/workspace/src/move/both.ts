import { BSON } from "mongodb";
import type { MessageDocument } from "../message.ts";
import { UnstorableError } from "../unstorable.ts";
import type { Importing, PortableDatabase } from "../database/portable.ts";
import type { Database } from "../parts.ts";

/** What of a database is stored by. */
interface Storing extends Pick<Database, "store" | "bury"> {
  readonly portable?: PortableDatabase;
}

/** What a database can do that stores at the other half, too, as long as there is one. */
export interface Both {
  /**
   * Stores there too from now on, before anything counts as stored; `undefined` for here alone.
   * Resolves once nothing is under way that is stored here alone.
   */
  storeAt(other: Importing | undefined): Promise<void>;
  /** Whether all that is stored is stored at both. */
  isBoth(): boolean;
}

/** Makes it of the one that is here. */
export function createBoth<T extends Storing>(here: T): T & Both {
  let other: Importing | undefined;
  let alone = 0;
  let whenNone: (() => void)[] = [];

  async function storedAlone(work: () => Promise<void>): Promise<void> {
    alone += 1;
    try {
      await work();
    } finally {
      alone -= 1;
      if (alone === 0) for (const call of whenNone.splice(0)) call();
    }
  }

  async function store(documents: readonly MessageDocument[]): Promise<void> {
    const there = other;
    if (there === undefined) return storedAlone(() => here.store(documents));
    const refused = await refusedBy(() => here.store(documents));
    const kept = documents.filter(one => refused?.has(one._id) !== true);
    await bring(there, "messages", kept.map(toPortable));
    if (refused !== undefined) throw new UnstorableError(refused);
  }

  return {
    ...here,
    store,
    bury: async letters => {
      const there = other;
      if (there === undefined) return storedAlone(() => here.bury(letters));
      await here.bury(letters);
      // As they stand there: a letter that is too large is cut.
      const ids = letters.map(one => one._id);
      await bring(there, "deadLetters", (await here.portable?.exportAll("deadLetters", ids)) ?? []);
    },
    storeAt: async next => {
      other = next;
      if (next !== undefined && alone > 0) await new Promise<void>(resolve => whenNone.push(resolve));
    },
    isBoth: () => other !== undefined && alone === 0,
  };
}

async function refusedBy(work: () => Promise<void>): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof UnstorableError) return error.refused;
    throw error;
  }
}

/** What the other half can never store would be missing there: nothing of it is acknowledged. */
async function bring(
  there: Importing,
  collection: Parameters<Importing["importAll"]>[0],
  documents: readonly Uint8Array[],
): Promise<void> {
  for (const some of inParcels(documents)) {
    const [first] = (await there.importAll(collection, some)).refused;
    if (first !== undefined) throw new Error(`the other half cannot store ${first[0]}: ${first[1]}`);
  }
}

const PARCEL = { most: 500, bytes: 4 * 1024 * 1024 } as const;

/** In pieces that one call takes; a document that is larger than one is one alone. */
export function* inParcels(documents: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let parcel: Uint8Array[] = [];
  let bytes = 0;
  for (const one of documents) {
    if (parcel.length > 0 && (parcel.length >= PARCEL.most || bytes + one.length > PARCEL.bytes)) {
      yield parcel;
      parcel = [];
      bytes = 0;
    }
    parcel.push(one);
    bytes += one.length;
  }
  if (parcel.length > 0) yield parcel;
}

function toPortable(document: MessageDocument): Uint8Array {
  return BSON.serialize(document, { ignoreUndefined: false });
}
