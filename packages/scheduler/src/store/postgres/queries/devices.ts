import { deviceAnswer, devicesAnswer } from "@skep/api/codec/stored/device.ts";
import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import {
  deviceUser,
  MOST_DEVICES,
  refuseDevice,
  shownTopic,
  withoutDigest,
  type Device,
  type DeviceKey,
  type KnownDevice,
} from "@skep/core/workspace/device.ts";
import { refuseWorkspace } from "@skep/core/workspace/record.ts";
import type { DeviceChange, DeviceStore, NewDevice } from "../../device-store.ts";
import { makePage, readPage } from "../../page.ts";
import { refuse } from "../../refusals.ts";
import type { Request } from "../../request.ts";
import { ask, askOne, constraintOf, type Queryable } from "../sql.ts";
import type { DeviceRow } from "../tables.ts";
import { earlierAnswer, mayBeRepetition, mutation, recordParts, recordValues } from "./request.ts";

const READ = {
  name: "read-devices-workspace",
  text: `SELECT w.desired, (SELECT count(*) FROM devices d WHERE d.workspace_id = $1) AS count,
    (SELECT min(device_id) FROM devices d WHERE d.workspace_id = $1 AND d.device_id = ANY ($2)) AS taken
  FROM workspaces w WHERE w.id = $1`,
};

const CREATE = {
  name: "create-devices",
  text: `
WITH created AS (INSERT INTO devices (workspace_id, device_id, digest, created_at, created_by)
  SELECT w.id, n.device_id, n.digest, $4, $5
  FROM workspaces w, unnest($2::text[], $3::text[]) AS n (device_id, digest) WHERE w.id = $1 RETURNING device_id),
${recordParts(6, "EXISTS (SELECT FROM created)")}
SELECT device_id FROM created`,
};

/** Compare-and-set on the version. */
const CHANGE = {
  name: "change-device",
  text: `
WITH changed AS (UPDATE devices SET digest = coalesce($4, digest), enabled = coalesce($5, enabled), version = version + 1
  WHERE workspace_id = $1 AND device_id = $2 AND version = $3 RETURNING device_id),
${recordParts(6, "EXISTS (SELECT FROM changed)")}
SELECT device_id FROM changed`,
};

const DELETE = {
  name: "delete-device",
  text: `
WITH deleted AS (DELETE FROM devices WHERE workspace_id = $1 AND device_id = $2 RETURNING device_id),
${recordParts(3, "EXISTS (SELECT FROM deleted)")}
SELECT device_id FROM deleted`,
};

const GET = { name: "get-device", text: "SELECT * FROM devices WHERE workspace_id = $1 AND device_id = $2" };

const LIST = {
  name: "list-devices",
  text: `SELECT * FROM devices WHERE workspace_id = $1 AND ($2::text IS NULL OR device_id > $2)
  ORDER BY device_id LIMIT $3`,
};

const FIND = {
  name: "find-devices",
  text: `SELECT d.* FROM unnest($1::text[], $2::text[]) AS k (workspace_id, device_id)
  JOIN devices d USING (workspace_id, device_id) JOIN workspaces w ON w.id = d.workspace_id
  WHERE d.enabled AND w.desired <> 'deleted'`,
};

const COUNT_AWAY = {
  name: "count-devices-away",
  text: `SELECT count(*) AS count FROM devices WHERE workspace_id = $1 AND enabled AND seen_at < $2`,
};

/** In the order of the keys, so that two of them never wait for each other. */
const NOTE = {
  name: "note-devices",
  text: `
WITH told AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[])
    AS t (workspace_id, device_id, seen_at, denied, denied_topic)),
held AS (SELECT workspace_id, device_id FROM devices JOIN told USING (workspace_id, device_id)
  ORDER BY workspace_id, device_id FOR UPDATE OF devices)
UPDATE devices d SET seen_at = greatest(d.seen_at, t.seen_at), denied = d.denied + t.denied,
  denied_at = CASE WHEN t.denied > 0 THEN t.seen_at ELSE d.denied_at END,
  denied_topic = CASE WHEN t.denied > 0 THEN t.denied_topic ELSE d.denied_topic END
FROM told t JOIN held h USING (workspace_id, device_id)
WHERE d.workspace_id = t.workspace_id AND d.device_id = t.device_id`,
};

/** See `DeviceStore`. */
export function createDevices(db: Queryable): DeviceStore {
  return {
    createDevices: (workspaceId, devices, request, now) => createAll(db, workspaceId, devices, request, now),
    changeDevice: (key, change, request, now) => changeDevice(db, key, change, request, now),
    deleteDevice: async (key, request, now) => {
      const one = mutation(request, "device.delete", deviceUser(key), {}, now);
      if ((await earlierAnswer(db, one, emptyAnswer)) !== undefined) return;
      const deleted = await ask(db, DELETE, [key.workspaceId, key.deviceId, ...recordValues(one, null)]);
      // Nothing to delete may mean that the same request was carried out just before.
      if (deleted.length === 0 && (await earlierAnswer(db, one, emptyAnswer)) === undefined)
        throw refuseDevice.missing(key);
    },
    getDevice: async key => {
      const known = await read(db, key);
      return known === undefined ? undefined : withoutDigest(known);
    },
    listDevices: async (workspaceId, page) => {
      const { after, limit } = readPage(page);
      const rows = await ask<DeviceRow>(db, LIST, [workspaceId, after ?? null, limit + 1]);
      if (rows.length === 0) await requireWorkspace(db, workspaceId);
      return makePage(
        rows.map(row => withoutDigest(toDevice(row))),
        limit,
        one => one.deviceId,
      );
    },
    findDevices: async keys =>
      (await ask<DeviceRow>(db, FIND, [keys.map(one => one.workspaceId), keys.map(one => one.deviceId)])).map(toDevice),
    countDevicesAway: async (workspaceId, seenBefore) =>
      (await askOne<{ count: number }>(db, COUNT_AWAY, [workspaceId, seenBefore])).count,
    noteDevices: async sightings => {
      const column = <T>(of: (one: (typeof sightings)[number]) => T): readonly T[] => sightings.map(of);
      await ask(db, NOTE, [
        ...[column(one => one.workspaceId), column(one => one.deviceId), column(one => one.seenAt)],
        ...[column(one => one.denied), column(one => shownTopic(one.deniedTopic))],
      ]);
    },
  };
}

async function createAll(
  db: Queryable,
  workspaceId: string,
  devices: readonly NewDevice[],
  request: Request,
  now: number,
): Promise<readonly Device[]> {
  const ids = devices.map(one => one.deviceId);
  const one = mutation(request, "device.create", workspaceId, ids, now);
  const answer = await earlierAnswer(db, one, devicesAnswer);
  if (answer !== undefined) return answer.response;
  await requireRoom(db, workspaceId, ids);
  const none = { seenAt: undefined, denied: 0, deniedAt: undefined, deniedTopic: "" };
  const made = ids.map(deviceId => ({
    ...{ workspaceId, deviceId, enabled: true, version: 1, createdAt: now, createdBy: request.actor, ...none },
  }));
  const digests = devices.map(device => device.digest);
  const values = [workspaceId, ids, digests, now, request.actor, ...recordValues(one, devicesAnswer.encode(made))];
  try {
    const created = await ask(db, CREATE, values);
    if (created.length === 0) throw refuse.noWorkspace(workspaceId);
    return made;
  } catch (error) {
    if (!mayBeRepetition(error)) throw error;
    const repeated = await earlierAnswer(db, one, devicesAnswer);
    if (repeated !== undefined) return repeated.response;
    if (constraintOf(error) === "devices_pkey") await requireRoom(db, workspaceId, ids);
    throw error;
  }
}

/** Of creations at the same time some more than the bound may come in; it keeps no exact count. */
async function requireRoom(db: Queryable, workspaceId: string, ids: readonly string[]): Promise<void> {
  const [row] = await ask<{ desired: string; count: number; taken: string | null }>(db, READ, [workspaceId, ids]);
  if (row === undefined) throw refuse.noWorkspace(workspaceId);
  if (row.desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
  if (row.taken !== null) {
    const taken = ids.find(id => id === row.taken) ?? row.taken;
    throw refuseDevice.exists({ workspaceId, deviceId: taken });
  }
  if (row.count + ids.length > MOST_DEVICES) throw refuseDevice.tooMany(workspaceId);
}

async function changeDevice(
  db: Queryable,
  key: DeviceKey,
  change: DeviceChange,
  request: Request,
  now: number,
): Promise<Device> {
  const isRotation = change.digest !== undefined;
  const { enabled } = change;
  const action = isRotation ? "device.rotate" : "device.enable";
  const one = mutation(request, action, deviceUser(key), { enabled }, now);
  for (;;) {
    const answer = await earlierAnswer(db, one, deviceAnswer);
    if (answer !== undefined) return answer.response;
    const known = await read(db, key);
    if (known === undefined) throw refuseDevice.missing(key);
    const before = withoutDigest(known);
    if (!isRotation && (enabled ?? before.enabled) === before.enabled) return before;
    const after = { ...before, enabled: enabled ?? before.enabled, version: before.version + 1 };
    const values = [key.workspaceId, key.deviceId, before.version, change.digest ?? null, enabled ?? null];
    try {
      const changed = await ask(db, CHANGE, [...values, ...recordValues(one, deviceAnswer.encode(after))]);
      if (changed.length > 0) return after;
    } catch (error) {
      if (!mayBeRepetition(error)) throw error;
    }
  }
}

async function read(db: Queryable, key: DeviceKey): Promise<KnownDevice | undefined> {
  const [row] = await ask<DeviceRow>(db, GET, [key.workspaceId, key.deviceId]);
  return row === undefined ? undefined : toDevice(row);
}

async function requireWorkspace(db: Queryable, id: string): Promise<void> {
  const found = await ask(db, { name: "has-workspace", text: "SELECT FROM workspaces WHERE id = $1" }, [id]);
  if (found.length === 0) throw refuse.noWorkspace(id);
}

function toDevice(row: DeviceRow): KnownDevice {
  return {
    ...{ workspaceId: row.workspace_id, deviceId: row.device_id, digest: row.digest, enabled: row.enabled },
    ...{ version: row.version, createdAt: row.created_at, createdBy: row.created_by },
    ...{ seenAt: row.seen_at ?? undefined, denied: row.denied },
    ...{ deniedAt: row.denied_at ?? undefined, deniedTopic: row.denied_topic },
  };
}
