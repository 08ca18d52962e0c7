import { KEY_ORDER_LENGTH, type DeadLetter, type MessageDocument } from "../message.ts";
import type { Database } from "../parts.ts";
import { UnstorableError } from "../unstorable.ts";

/** A database in memory, which fails when it is told to. */
export interface TwinDatabase extends Pick<Database, "store" | "bury" | "recall"> {
  readonly stored: Map<string, MessageDocument>;
  readonly buried: Map<string, DeadLetter>;
  /** Called before each call that writes; what it throws is what the call rejects with. */
  before: () => void | Promise<void>;
  /** Called once a call has written; what it throws is what the call rejects with. */
  after: () => void;
  /** Why a document can never be stored. */
  refuses: (document: MessageDocument) => string | undefined;
}

/** Makes an empty one that takes everything. */
export function createTwinDatabase(): TwinDatabase {
  const twin: TwinDatabase = {
    stored: new Map(),
    buried: new Map(),
    before: () => undefined,
    after: () => undefined,
    refuses: () => undefined,
    store: async documents => {
      await twin.before();
      const refused = documents.flatMap(one => {
        const because = twin.refuses(one);
        return because === undefined ? [] : [[one._id, because] as const];
      });
      const all = new Map(refused);
      for (const one of documents) if (!all.has(one._id) && !twin.stored.has(one._id)) twin.stored.set(one._id, one);
      twin.after();
      if (all.size > 0) throw new UnstorableError(all);
    },
    bury: async letters => {
      await twin.before();
      for (const one of letters) if (!twin.buried.has(one._id)) twin.buried.set(one._id, one);
    },
    recall: async (prefixes, within) => {
      const keys = [...twin.stored.keys(), ...twin.buried.keys()].slice(-within);
      return new Map(
        prefixes.flatMap(prefix => {
          const key = keys.findLast(one => one.startsWith(prefix, KEY_ORDER_LENGTH));
          return key === undefined ? [] : [[prefix, key] as const];
        }),
      );
    },
  };
  return twin;
}
