import { SkepError } from "@skep/core/error.ts";
import type { Lease } from "../resources/shared.ts";
import { collectionsOf, type Collections } from "./collections.ts";
import type { Connection, Connections, Target } from "./connection.ts";

/** The client that a database works by; it may be exchanged while it works. */
export interface Held {
  /** Works on the collections; the client stays until the work is done. */
  use<T>(work: (collections: Collections, connection: Connection) => Promise<T>): Promise<T>;
  connection(): Connection;
  target(): Target;
  /**
   * Works by a client with so many connections from now on. The new one is connected first and the
   * old one let go of once its last work is done; where the new one cannot be had, the old one
   * stays.
   */
  exchange(poolSize: number): Promise<void>;
  /** Lets go of the client once its last work is done. May be called twice. */
  close(): Promise<void>;
}

interface Hold {
  readonly lease: Lease<Connection>;
  readonly collections: Collections;
  readonly target: Target;
  users: number;
  whenIdle: (() => void) | undefined;
}

/** Takes a client for a database. Rejects with the text of R143. */
export async function hold(connections: Connections, databaseName: string, first: Target): Promise<Held> {
  const take = async (target: Target): Promise<Hold> => {
    const lease = await connections.acquire(target);
    const collections = collectionsOf(lease.instance.client.db(databaseName));
    return { lease, collections, target, users: 0, whenIdle: undefined };
  };
  let current = await take(first);
  let isClosed = false;
  // One exchange after the other: two at once would let go of one client twice and keep another.
  let changing: Promise<void> = Promise.resolve();

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = changing.then(work);
    changing = done.catch(() => undefined);
    return done;
  };

  return {
    async use(work) {
      if (isClosed) throw closed();
      const held = current;
      held.users += 1;
      try {
        return await work(held.collections, held.lease.instance);
      } finally {
        held.users -= 1;
        if (held.users === 0) held.whenIdle?.();
      }
    },
    connection: () => current.lease.instance,
    target: () => current.target,
    exchange: poolSize =>
      inTurn(async () => {
        if (isClosed) throw closed();
        if (poolSize === current.target.poolSize) return;
        const next = await take({ ...first, poolSize });
        const before = current;
        current = next;
        await letGo(before);
      }),
    close: () =>
      inTurn(async () => {
        isClosed = true;
        await letGo(current);
      }),
  };
}

async function letGo(held: Hold): Promise<void> {
  if (held.users > 0) await new Promise<void>(resolve => (held.whenIdle = resolve));
  await held.lease.release();
}

function closed(): SkepError {
  return new SkepError("failed_precondition", "DATABASE_CLOSED", "The database is closed; deploy its workspace anew.");
}
