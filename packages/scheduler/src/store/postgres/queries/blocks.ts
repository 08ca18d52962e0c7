import type { BlockChange, BlockHolder } from "@skep/core/network/blocks.ts";
import type { BlockStore } from "../../block-store.ts";
import type { Mandate } from "../../mandate.ts";
import { ask, constraintOf, type Queryable } from "../sql.ts";
import { askLeading, leasePart } from "./lease.ts";

const LOAD = {
  name: "load-blocks",
  text: `SELECT node_id AS id, block, reported_block AS reported,
  CASE WHEN swarm_state = 'removed' THEN coalesce(seen_at, 0) END AS gone
FROM node_metadata WHERE session_id IS NOT NULL OR block IS NOT NULL ORDER BY node_id COLLATE "C"`,
};

interface HolderRow {
  id: string;
  block: string | null;
  reported: string | null;
  gone: number | null;
}

const SAVE = {
  name: "save-blocks",
  text: `
WITH ${leasePart("$2", "$3")},
given AS (SELECT * FROM jsonb_to_recordset($1) AS g("nodeId" text, was cidr, block cidr)),
locked AS MATERIALIZED (
  SELECT n.node_id, g.block FROM node_metadata n JOIN given g ON g."nodeId" = n.node_id
  WHERE n.block IS NOT DISTINCT FROM g.was AND EXISTS (SELECT FROM lease) ORDER BY n.node_id FOR NO KEY UPDATE OF n),
written AS (UPDATE node_metadata n SET block = l.block FROM locked l
  WHERE n.node_id = l.node_id AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM given) RETURNING n.node_id)
SELECT EXISTS (SELECT FROM lease) AS leads, (SELECT count(*) FROM written) = (SELECT count(*) FROM given) AS saved`,
};

async function loadBlocks(db: Queryable): Promise<readonly BlockHolder[]> {
  const rows = await ask<HolderRow>(db, LOAD, []);
  return rows.map(({ id, block, reported, gone }) => ({
    ...{ id, block: block ?? undefined, reported: reported ?? undefined, goneSince: gone ?? undefined },
  }));
}

async function saveBlocks(db: Queryable, changes: readonly BlockChange[], mandate: Mandate): Promise<boolean> {
  if (changes.length === 0) return true;
  const values = [JSON.stringify(changes), mandate.term, mandate.holder];
  try {
    return (await askLeading<{ saved: boolean }>(db, SAVE, values, mandate)).saved;
  } catch (error) {
    if (constraintOf(error) === "node_blocks_apart") return false;
    throw error;
  }
}

/** The port on Postgres. */
export function createBlocks(db: Queryable): BlockStore {
  return {
    loadBlocks: () => loadBlocks(db),
    saveBlocks: (changes, mandate) => saveBlocks(db, changes, mandate),
  };
}
