import type { NodeKey } from "@skep/core/identity/admission.ts";
import type { KeyStore } from "../../key-store.ts";
import { ask, askOne, type Queryable } from "../sql.ts";

interface KeyRow {
  readonly public_key: string;
  readonly joined_at: number;
  readonly revoked_at: number | null;
}

const LOAD = {
  name: "load-node-key",
  text: "SELECT public_key, joined_at, revoked_at FROM node_keys WHERE node_id = $1",
};

/**
 * The first of two that join at once is kept; the update that changes nothing waits for it and
 * answers its row.
 */
const JOIN = {
  name: "join-node",
  text: `INSERT INTO node_keys AS k (node_id, public_key, joined_at) VALUES ($1, $2, $3)
  ON CONFLICT (node_id) DO UPDATE SET public_key = k.public_key RETURNING public_key, joined_at, revoked_at`,
};

const REVOKE = {
  name: "revoke-node",
  text: `INSERT INTO node_keys AS k (node_id, public_key, joined_at, revoked_at) VALUES ($1, '', $2, $2)
  ON CONFLICT (node_id) DO UPDATE SET revoked_at = coalesce(k.revoked_at, $2)`,
};

const REJOIN = { name: "rejoin-node", text: "DELETE FROM node_keys WHERE node_id = $1" };

const REVOKED = {
  name: "list-revoked-nodes",
  text: "SELECT node_id FROM node_keys WHERE revoked_at IS NOT NULL ORDER BY node_id",
};

/** See `KeyStore`. */
export function createKeys(db: Queryable): KeyStore {
  return {
    loadNodeKey: async nodeId => {
      const [row] = await ask<KeyRow>(db, LOAD, [nodeId]);
      return row === undefined ? undefined : toKey(row);
    },
    joinNode: async (nodeId, publicKey, now) => toKey(await askOne<KeyRow>(db, JOIN, [nodeId, publicKey, now])),
    revokeNode: async (nodeId, now) => void (await ask(db, REVOKE, [nodeId, now])),
    rejoinNode: async nodeId => void (await ask(db, REJOIN, [nodeId])),
    listRevokedNodes: async () => (await ask<{ node_id: string }>(db, REVOKED, [])).map(row => row.node_id),
  };
}

function toKey(row: KeyRow): NodeKey {
  return { publicKey: row.public_key, joinedAt: row.joined_at, revokedAt: row.revoked_at ?? undefined };
}
