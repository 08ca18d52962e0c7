import type { Removal } from "@skep/core/model/assignment.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { Raised, Stale } from "../store/commit-result.ts";
import type { Mandate } from "../store/mandate.ts";
import type { NodeRemoval, Store } from "../store/store.ts";

/** The recorded removals, as a leader keeps them: it alone adds to them, and reports end them. */
export interface Removals {
  /**
   * Reads them once in a term, and again after a write whose end is not known. @throws the store's
   * error.
   */
  load(): Promise<void>;
  /**
   * Whether they are known: not after a write whose end is not known, until they are read again.
   * A node that was told an assignment without one of them would not be told of it again.
   */
  isRead(): boolean;
  of(nodeId: NodeId): readonly Removal[];
  /** Whether one of this copy is recorded. */
  has(nodeId: NodeId, copy: { readonly instanceId: string; readonly epoch: number }): boolean;
  /**
   * Records new ones, and raises the revisions of their nodes. Answers those that were new. @throws
   * the store's error.
   */
  add(removals: readonly NodeRemoval[], now: number): Promise<readonly NodeRemoval[]>;
  /**
   * Records these once more, which raises the revision of their node: those that had no room in
   * what it was told have some by now. @throws the store's error.
   */
  repeat(removals: readonly NodeRemoval[], now: number): Promise<void>;
  /**
   * A report called these gone, and the replica that absorbed it has deleted them. Answers whether
   * one of them was known.
   */
  done(nodeId: NodeId, gone: readonly { readonly instanceId: string; readonly epoch: number }[]): boolean;
}

/** Makes it for a term, with nothing read. */
export function createRemovals(store: Pick<Store, "loadRemovals" | "saveRemovals">, mandate: Mandate): Removals {
  let known: Map<string, NodeRemoval> | undefined;
  let loading: Promise<Map<string, NodeRemoval>> | undefined;

  /**
   * Several ask at once: one answer for all, since a second would lack what was added to the first.
   */
  function load(): Promise<Map<string, NodeRemoval>> {
    return (loading ??= read());
  }

  async function read(): Promise<Map<string, NodeRemoval>> {
    try {
      return (known = new Map((await store.loadRemovals()).map(one => [keyOf(one), one])));
    } catch (error) {
      loading = undefined;
      throw error;
    }
  }

  async function save(removals: readonly NodeRemoval[], now: number): Promise<Raised | Stale> {
    try {
      return await store.saveRemovals(removals, mandate, now);
    } catch (error) {
      known = undefined;
      loading = undefined;
      throw error;
    }
  }

  return {
    load: async () => void (await load()),
    isRead: () => known !== undefined,
    of: nodeId => [...(known?.values() ?? [])].filter(one => one.nodeId === nodeId),
    has: (nodeId, { instanceId, epoch }) => known?.has(keyOf({ nodeId, instanceId, epoch })) ?? false,
    add: async (removals, now) => {
      const all = await load();
      const fresh = removals.filter(one => !all.has(keyOf(one)));
      if (fresh.length === 0) return [];
      // Before the write: with the raised revision the tick may tell the node at once.
      for (const one of fresh) all.set(keyOf(one), one);
      const saved = await save(fresh, now);
      if (saved.kind === "committed") {
        // Another write may have failed meanwhile, and all of them been read before this one.
        for (const one of fresh) known?.set(keyOf(one), one);
        return fresh;
      }
      for (const one of fresh) all.delete(keyOf(one));
      return [];
    },
    repeat: async (removals, now) => void (await save(removals, now)),
    done: (nodeId, gone) => gone.filter(one => known?.delete(keyOf({ nodeId, ...one }))).length > 0,
  };
}

function keyOf(of: { readonly nodeId: NodeId; readonly instanceId: string; readonly epoch: number }): string {
  return `${of.nodeId} ${of.instanceId} ${of.epoch}`;
}
