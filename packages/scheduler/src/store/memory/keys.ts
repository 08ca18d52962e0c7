import type { Records } from "../memory-records.ts";
import type { KeyStore } from "../key-store.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `KeyStore`. */
export function createKeys({ nodeKeys }: Records, pass: Pass): KeyStore {
  return {
    loadNodeKey: nodeId => pass("loadNodeKey", () => nodeKeys.get(nodeId)),
    joinNode: (nodeId, publicKey, now) =>
      pass("joinNode", () => {
        const key = nodeKeys.get(nodeId) ?? { publicKey, joinedAt: now, revokedAt: undefined };
        nodeKeys.set(nodeId, key);
        return key;
      }),
    revokeNode: (nodeId, now) =>
      pass("revokeNode", () => {
        const { publicKey = "", joinedAt = now, revokedAt = now } = nodeKeys.get(nodeId) ?? {};
        nodeKeys.set(nodeId, { publicKey, joinedAt, revokedAt });
      }),
    rejoinNode: nodeId => pass("rejoinNode", () => void nodeKeys.delete(nodeId)),
    listRevokedNodes: () =>
      pass("listRevokedNodes", () =>
        [...nodeKeys].flatMap(([id, key]) => (key.revokedAt === undefined ? [] : [id])).toSorted(),
      ),
  };
}
