import type { Change } from "@skep/core/world/plan.ts";
import type { Instance, Location } from "@skep/core/model/instance.ts";
import { basisOf } from "@skep/core/world/basis.ts";
import { aSpec, aTenant } from "@skep/core/testing/builders.ts";
import { afterEach, beforeEach } from "vitest";
import type { Committed, Stale } from "../commit-result.ts";
import type { Mandate } from "../mandate.ts";
import type { Store } from "../store.ts";
import type { Request } from "../request.ts";
import { aRoute, someFacts } from "../testing/records.ts";

/** A caller without an idempotency key. */
export const someone: Request = { actor: "someone", idempotencyKey: undefined };
/** The scheduler's time in the contract. */
export const NOW = 1_700_000_000_000;
/** A lease that does not end during a test, in ms. */
export const LONG = 60_000;

/** What the contract needs of a place where the store runs. */
export interface StorePlace {
  readonly name: string;
  /** A store on an empty database. */
  open(): Promise<Store>;
  /** Lets the database's own clock pass. */
  wait(durationMs: number): Promise<void>;
}

/**
 * What every test of the contract finds: tenant acme, deployment acme.web, node-1 with a known
 * session, our lease.
 */
export interface StoreSetting {
  readonly place: StorePlace;
  /** The store of the present test. */
  readonly store: Store;
  /** The term of our lease. */
  term(): number;
  /** In whose name we write. */
  mandate(): Mandate;
  commit(...changes: Change[]): Promise<Committed | Stale>;
  /** Commits what must not be stale, and answers the new revisions. */
  committed(...changes: Change[]): Promise<ReadonlyMap<string, number>>;
  locationOf(instanceId: string, epoch?: number): Promise<Location | undefined>;
  instanceOf(id: string): Promise<Instance | undefined>;
}

/** Prepares it before each test and closes it after. */
export function prepareStore(place: StorePlace): StoreSetting {
  let current: Store;
  let mandate: Mandate;
  // One object for all tests, though each test has a store of its own.
  const store = new Proxy({} as Store, {
    get: (_, name) => Reflect.get(current, name) as unknown,
  });
  beforeEach(async () => {
    current = await place.open();
    await store.createTenant(aTenant(), someone);
    await store.createDeployment("acme", aSpec({ replicas: 2 }), [aRoute()], someone, NOW);
    await store.saveFacts(someFacts(), NOW);
    mandate = await store.takeLease("me", LONG);
  });
  afterEach(() => current.close());
  const commit = async (...changes: Change[]): Promise<Committed | Stale> => {
    const basis = basisOf(await store.loadWorld(), changes);
    return store.commit({ changes, wakeAt: undefined, basis }, mandate, NOW);
  };
  return {
    place,
    store,
    term: () => mandate.term,
    mandate: () => mandate,
    commit,
    committed: async (...changes) => {
      const result = await commit(...changes);
      if (result.kind !== "committed") throw new Error(`stale: ${result.because}`);
      return result.revisions;
    },
    locationOf: async (instanceId, epoch = 1) =>
      (await store.loadWorld()).locations.find(one => one.instanceId === instanceId && one.epoch === epoch),
    instanceOf: async id => (await store.loadWorld()).instances.find(one => one.id === id),
  };
}
