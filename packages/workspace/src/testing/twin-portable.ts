import { BSON } from "mongodb";
import type { PortableDatabase } from "../database/portable.ts";
import type { CollectionName } from "../database/query/run.ts";
import type { TwinDatabase } from "./twin-database.ts";

interface Kept {
  readonly _id: string;
  readonly receivedAt: Date;
}

const PAGE = 100;

/** How the content of a database in memory gets to another one. It fails as the database does. */
export function portableOf(twin: TwinDatabase): PortableDatabase {
  const kept = (name: CollectionName): Map<string, Kept> =>
    (name === "messages" ? twin.stored : twin.buried) as Map<string, Kept>;
  return {
    keysPage: async (name, { from, until, keptSince = from }, after) => {
      const keys = [...kept(name).values()].flatMap(({ _id, receivedAt }) => {
        const at = receivedAt.getTime();
        return _id > after && at >= Math.max(from, keptSince) && at < until ? [_id] : [];
      });
      return keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).slice(0, PAGE);
    },
    exportAll: async (name, keys) =>
      keys.flatMap(key => {
        const one = kept(name).get(key);
        return one === undefined ? [] : [BSON.serialize(one)];
      }),
    importAll: async (name, documents) => {
      await twin.before();
      const all = documents.map(one => BSON.deserialize(one) as Kept);
      const refused = new Map<string, string>();
      let stored = 0;
      for (const one of all) {
        const because = name === "messages" ? twin.refuses(one as never) : undefined;
        if (because !== undefined) refused.set(one._id, because);
        else if (!kept(name).has(one._id)) {
          kept(name).set(one._id, one);
          stored += 1;
        }
        if (name === "messages" && because === undefined) twin.buried.delete(one._id);
      }
      twin.after();
      return { stored, refused };
    },
    latest: async function* (name, since) {
      const found = [...kept(name).values()].toReversed().filter(one => one.receivedAt.getTime() >= since);
      for (let at = 0; at < found.length; at += PAGE) yield found.slice(at, at + PAGE).map(one => one._id);
    },
    count: async () => twin.stored.size + twin.buried.size,
  };
}
