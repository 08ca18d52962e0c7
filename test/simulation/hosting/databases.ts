import { BSON } from "mongodb";
import type { ScalableDatabase } from "@skep/workspace/container/factories.ts";
import type { PortableDatabase } from "@skep/workspace/database/portable.ts";
import type { CollectionName } from "@skep/workspace/database/query/run.ts";
import type { MessageDocument } from "@skep/workspace/message.ts";
import { createTwinDatabase, type TwinDatabase } from "@skep/workspace/testing/twin-database.ts";
import type { Chance } from "../chance.ts";
import { throughGate, type Gate, type Life } from "../life.ts";
import type { Platform } from "../platform.ts";

/** How databases of workspaces answer. */
export interface DatabaseWeather {
  isAway: boolean;
  /** Share of calls that fail, half of them after they happened. */
  fails: number;
  slowMs: number;
}

/** The database of one workspace, and how often each message stands in it. */
interface Kept {
  readonly twin: TwinDatabase;
  readonly numbers: Map<number, number>;
}

/** A MongoDB in memory with the databases of workspaces; what hosts store there is counted. */
export class SimDatabases {
  readonly weather: DatabaseWeather = { isAway: false, fails: 0, slowMs: 10 };
  readonly #platform: Platform;
  readonly #chance: Chance;
  readonly #kept = new Map<string, Kept>();

  constructor(platform: Platform, name: string) {
    this.#platform = platform;
    this.#chance = platform.chance(name);
  }

  /** How often a message of a workspace is stored. */
  count(workspaceId: string, number: number): number {
    return this.#kept.get(workspaceId)?.numbers.get(number) ?? 0;
  }

  /** The database of a workspace as a process reaches it; `stores` hears of each attempt. */
  open(workspaceId: string, life: Life, stores: () => void): ScalableDatabase {
    const { twin } = this.#of(workspaceId);
    const port: ScalableDatabase = {
      store: documents => this.#store(workspaceId, documents),
      recall: (prefixes, within) => twin.recall(prefixes, within),
      bury: letters => twin.bury(letters),
      setDatabase: () => Promise.resolve(),
      health: () => ({ isConnected: true, lastError: "" }),
      counts: () => ({}),
      close: () => Promise.resolve(),
      portable: throughGate(
        this.#portable(workspaceId),
        life,
        this.#gate(() => undefined),
        ["latest"],
      ),
    };
    return throughGate(port, life, this.#gate(stores), ["health", "counts", "close"]);
  }

  /** Its pod is gone with its volumes. */
  remove(workspaceId: string): void {
    this.#kept.delete(workspaceId);
  }

  #gate(stores: () => void): Gate {
    let isLost = false;
    return {
      // What a process has sent is under way, whatever becomes of the process.
      before: async (verb: string) => {
        if (verb === "store") stores();
        await this.#platform.clock.sleep(this.#chance.whole(1, 3));
        isLost = this.#chance.happens(this.weather.fails);
        if (this.weather.isAway || (isLost && this.#chance.happens(0.5))) throw new Error("no primary");
        await this.#platform.clock.sleep(this.#chance.whole(1, this.weather.slowMs));
      },
      after: async () => {
        await this.#platform.clock.sleep(1);
        if (isLost) throw new Error("the connection was closed");
      },
    };
  }

  /** What goes to another database, and what comes from there. */
  #portable(workspaceId: string): PortableDatabase {
    const all = (name: CollectionName) => {
      const { stored, buried } = this.#of(workspaceId).twin;
      return [...(name === "messages" ? stored : buried).values()];
    };
    return {
      importAll: async (name, documents) => {
        const before = all(name).length;
        const parsed = documents.map(one => BSON.deserialize(one) as MessageDocument);
        if (name === "messages") await this.#store(workspaceId, parsed);
        return { stored: all(name).length - before, refused: new Map() };
      },
      exportAll: (name, keys) => {
        const wanted = new Set(keys);
        return Promise.resolve(all(name).flatMap(one => (wanted.has(one._id) ? [BSON.serialize(one)] : [])));
      },
      keysPage: (name, { from, until, keptSince = from }, after) => {
        const isWithin = (at: number): boolean => at >= Math.max(from, keptSince) && at < until;
        const found = all(name).filter(one => one._id > after && isWithin(one.receivedAt.getTime()));
        return Promise.resolve(found.map(one => one._id).toSorted());
      },
      latest: async function* (name, since) {
        const found = all(name).filter(one => one.receivedAt.getTime() >= since);
        yield await Promise.resolve(found.map(one => one._id).toReversed());
      },
      count: () => Promise.resolve(all("messages").length),
    };
  }

  async #store(workspaceId: string, documents: readonly MessageDocument[]): Promise<void> {
    const { twin, numbers } = this.#of(workspaceId);
    const keys = new Set<string>();
    for (const { _id: key, value } of documents) {
      // One that was sent twice may come twice in one batch.
      if (twin.stored.has(key) || keys.has(key)) continue;
      keys.add(key);
      const { number } = value as { readonly number: number };
      const count = (numbers.get(number) ?? 0) + 1;
      numbers.set(number, count);
      if (count > 1) this.#platform.violate(`message ${number} of ${workspaceId} is stored ${count} times`);
    }
    return twin.store(documents);
  }

  #of(workspaceId: string): Kept {
    const known = this.#kept.get(workspaceId) ?? { twin: createTwinDatabase(), numbers: new Map<number, number>() };
    this.#kept.set(workspaceId, known);
    return known;
  }
}
