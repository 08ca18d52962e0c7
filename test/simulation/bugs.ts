import { decodeAssignment, encodeAssignment } from "@skep/api/codec/assignment.ts";
import { parseNodeSubject } from "@skep/api/subjects.ts";
import { applyPlan } from "@skep/core/world/apply.ts";
import type { World } from "@skep/core/world/world.ts";
import type { Bus } from "@skep/kit/bus.ts";
import type { MemoryDatabase } from "@skep/scheduler/store/memory/memory-store.ts";
import type { Store } from "@skep/scheduler/store/store.ts";
import type { Sabotage } from "./processes.ts";

/** Bugs that programs like these have had, each with what the rules say when they find it. */
export const BUGS: Readonly<Record<string, { readonly sabotage: Sabotage; readonly found: RegExp }>> = {
  "a late commit that is refused, and repeated in the present term": {
    sabotage: {
      store: (store, { records }, clock) => ({
        ...verbsOf(store),
        commit: async (plan, term, now) => {
          await clock.sleep(2_000);
          const first = await store.commit(plan, term, now);
          return first.kind === "committed" ? first : store.commit(plan, records.lease?.term ?? term, now);
        },
      }),
    },
    found: /committed in term/,
  },
  "a plan made from an old snapshot and committed without comparing": {
    sabotage: { store: withStaleWorld },
    found: /committed in term|given to|twice|routed|instances|reserved|recorded|wanted/,
  },
  "a node called down before its time": {
    sabotage: { settings: { suspectAfterMs: 1_000, downAfterMs: 2_000 } },
    found: /calls node-\d down after it observed/,
  },
  "an agent that takes assignments in any order": {
    sabotage: { agentBus: inAnyOrder },
    found: /wanted|recorded|instances|ends/,
  },
  "an agent that ends its tenants when the bus is away": {
    sabotage: {
      engine: (engine, bus) => {
        bus.onStatus(connected => {
          if (connected) return;
          const stopAll = async (): Promise<unknown> =>
            Promise.all((await engine.observe()).containers.map(one => engine.stop(one.id, 0)));
          void stopAll().catch(() => undefined);
        });
        return engine;
      },
    },
    found: /which nobody told it to end/,
  },
  "a scheduler that does not write what is gone": {
    sabotage: {
      store: store => ({
        ...verbsOf(store),
        saveReport: (report, now) => {
          const statuses = report.statuses.filter(one => one.state !== "stopped");
          return store.saveReport({ ...report, statuses, gone: [] }, now);
        },
      }),
    },
    found: /recorded/,
  },
};

/** The store's verbs as plain properties, so that one can be replaced. */
function verbsOf(store: Store): Store {
  return { ...store };
}

/** Decides on the snapshot before the last one, and writes whatever was decided. */
function withStaleWorld(store: Store, { records }: MemoryDatabase): Store {
  let last: World | undefined;
  return {
    ...verbsOf(store),
    loadWorld: async () => {
      const fresh = await store.loadWorld();
      const stale = last ?? fresh;
      last = fresh;
      return stale;
    },
    commit: async (plan, term, now) => {
      const before = await store.loadWorld();
      const after = applyPlan(before, plan, now);
      const fenced = await store.commit({ changes: [], wakeAt: undefined }, term, now);
      if (fenced.kind === "stale") return fenced;
      for (const one of after.instances) records.instances.set(one.id, one);
      for (const one of after.deployments) records.deployments.set(one.id, one);
      for (const one of after.locations) records.locations.set(`${one.instanceId} ${one.epoch}`, one);
      await store.raiseRevisions(
        after.nodes.map(node => node.id),
        term,
      );
      return fenced;
    },
  };
}

/** Whatever assignment comes is made to look like the newest one. */
function inAnyOrder(bus: Bus): Bus {
  let revision = 1_000_000;
  return {
    ...bus,
    subscribe: (pattern, handle, options) =>
      bus.subscribe(
        pattern,
        message => {
          if (parseNodeSubject(pattern)?.kind !== "assign") return handle(message);
          const { assignment } = decodeAssignment(message.data);
          handle({ ...message, data: encodeAssignment({ ...assignment, term: 1_000, revision: ++revision }) });
        },
        options,
      ),
  };
}
