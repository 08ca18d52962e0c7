import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import type { NodeId } from "@skep/core/model/node.ts";
import type { ReportedVolume, Volume, VolumeOwner } from "@skep/core/model/volume.ts";
import { volumeKey } from "@skep/core/model/volume.ts";
import type { VolumeFilter, VolumeStore } from "../../store.ts";
import type { Request } from "../../request.ts";
import { toVolume } from "../rows.ts";
import { ask, askOne, type Queryable } from "../sql.ts";
import type { VolumeRow } from "../tables.ts";
import { mutation, onceByKey, recordParts, recordValues } from "./request.ts";

const LIST = {
  name: "list-volumes",
  text: `SELECT * FROM volumes WHERE ($1::text IS NULL OR tenant_id = $1) AND ($2::text IS NULL OR owner = $2)
  ORDER BY tenant_id COLLATE "C", owner COLLATE "C", name COLLATE "C", serial, node_id COLLATE "C"`,
};

/** See `VolumeStore.listVolumes`. */
async function listVolumes(db: Queryable, filter: VolumeFilter): Promise<readonly Volume[]> {
  const rows = await ask<VolumeRow>(db, LIST, [filter.tenantId ?? null, filter.owner ?? null]);
  return rows.map(toVolume);
}

/** The node's assignment names what is to go, so its revision is raised. */
const giveUpBy = (column: "id" | "owner"): { readonly name: string; readonly text: string } => ({
  name: `give-up-volumes-by-${column}`,
  text: `
WITH given AS (UPDATE volumes SET state = 'removing' WHERE ${column} = $1 AND state <> 'removing' RETURNING node_id),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  WHERE n.node_id IN (SELECT node_id FROM given)),
${recordParts(2, "EXISTS (SELECT FROM given)")}
SELECT count(*) AS count FROM given`,
});

const GIVE_UP = giveUpBy("id");
const GIVE_UP_ALL = giveUpBy("owner");

/** See `VolumeStore.giveUpVolume`. */
async function giveUpVolume(db: Queryable, volume: Volume, request: Request, now: number): Promise<void> {
  const id = volumeKey(volume);
  const one = mutation(request, "volume.remove", id, undefined, now);
  await onceByKey(db, one, emptyAnswer, async () => {
    await askOne(db, GIVE_UP, [id, ...recordValues(one, null)]);
    return undefined;
  });
}

/** See `VolumeStore.giveUpVolumes`. */
async function giveUpVolumes(db: Queryable, owner: VolumeOwner, request: Request, now: number): Promise<void> {
  const one = mutation(request, "volume.remove-all", owner, undefined, now);
  await onceByKey(db, one, emptyAnswer, async () => {
    await askOne(db, GIVE_UP_ALL, [owner, ...recordValues(one, null)]);
    return undefined;
  });
}

/**
 * A node says all that it has: what was to go and is not there has gone, what is there and not
 * recorded (an older database was restored) is recorded, and what a container has was used just
 * now. A kept record that the node has no data of goes where it has that name under another serial:
 * an assignment that named it would begin the app on an empty volume.
 */
const SAVE = {
  name: "save-volumes",
  text: `
WITH given AS (SELECT * FROM jsonb_to_recordset($2) AS g(id text, "tenantId" text, owner text, name text,
    serial bigint, "inUse" boolean)),
gone AS (DELETE FROM volumes v WHERE v.node_id = $1 AND v.state = 'removing'
  AND NOT EXISTS (SELECT FROM given g WHERE g.id = v.id) RETURNING v.node_id),
superseded AS (DELETE FROM volumes v USING given g WHERE v.node_id = $1 AND v.state = 'kept'
  AND v.owner = g.owner AND v.name = g.name
  AND NOT EXISTS (SELECT FROM given o WHERE o.id = v.id)
  AND NOT EXISTS (SELECT FROM volumes r WHERE r.id = g.id AND r.state <> 'kept') RETURNING v.node_id),
raised AS (UPDATE node_metadata n SET assignment_revision = n.assignment_revision + 1
  WHERE n.node_id IN (SELECT node_id FROM gone UNION SELECT node_id FROM superseded)),
used AS (UPDATE volumes v SET used_at = $3 FROM given g WHERE g.id = v.id AND g."inUse"),
found AS (INSERT INTO volumes (id, tenant_id, owner, name, serial, node_id, created_at, used_at, state)
  SELECT g.id, g."tenantId", g.owner, g.name, g.serial, $1, $3, CASE WHEN g."inUse" THEN $3 ELSE 0 END, 'kept'
  FROM given g
  ON CONFLICT (id) DO NOTHING RETURNING id)
SELECT EXISTS (SELECT FROM gone) OR EXISTS (SELECT FROM superseded) OR EXISTS (SELECT FROM found) AS changed`,
};

/** See `VolumeStore.saveVolumes`. */
async function saveVolumes(
  db: Queryable,
  nodeId: NodeId,
  volumes: readonly ReportedVolume[],
  now: number,
): Promise<boolean> {
  const given = volumes.map(volume => ({ ...volume, id: volumeKey({ ...volume, nodeId }) }));
  const row = await askOne<{ changed: boolean }>(db, SAVE, [nodeId, JSON.stringify(given), now]);
  return row.changed;
}

/** See `VolumeStore`. */
export function createVolumes(db: Queryable): VolumeStore {
  return {
    listVolumes: filter => listVolumes(db, filter),
    giveUpVolume: (volume, request, now) => giveUpVolume(db, volume, request, now),
    giveUpVolumes: (owner, request, now) => giveUpVolumes(db, owner, request, now),
    saveVolumes: (nodeId, volumes, now) => saveVolumes(db, nodeId, volumes, now),
  };
}
