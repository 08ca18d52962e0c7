import { deviceAnswer, devicesAnswer } from "@skep/api/codec/stored/device.ts";
import { emptyAnswer } from "@skep/api/codec/stored/answer.ts";
import {
  deviceUser,
  MOST_DEVICES,
  refuseDevice,
  sighted,
  withoutDigest,
  type DeviceKey,
  type KnownDevice,
} from "@skep/core/workspace/device.ts";
import { refuseWorkspace } from "@skep/core/workspace/record.ts";
import type { DeviceStore } from "../device-store.ts";
import type { Records } from "../memory-records.ts";
import { refuse } from "../refusals.ts";
import { once } from "./once.ts";
import { pageOf } from "./spec.ts";

/** Passes a call of the store's on, as the network between would. */
type Pass = <T>(call: string, run: () => T) => Promise<T>;

/** See `DeviceStore`. */
export function createDevices(records: Records, pass: Pass): DeviceStore {
  const { devices, workspaces } = records;
  return {
    createDevices: (workspaceId, wanted, request, now) =>
      pass("createDevices", () =>
        once(records, request, `device.create ${workspaceId}`, idsOf(wanted), now, devicesAnswer, audit => {
          const workspace = workspaces.get(workspaceId);
          if (workspace === undefined) throw refuse.noWorkspace(workspaceId);
          if (workspace.desired === "deleted") throw refuseWorkspace.beingDeleted(workspaceId);
          const known = ofWorkspace(records, workspaceId);
          const taken = wanted.find(({ deviceId }) => devices.has(deviceUser({ workspaceId, deviceId })));
          if (taken !== undefined) throw refuseDevice.exists({ workspaceId, deviceId: taken.deviceId });
          if (known.length + wanted.length > MOST_DEVICES) throw refuseDevice.tooMany(workspaceId);
          const made = wanted.map(one => firstDevice({ ...one, workspaceId }, request.actor, now));
          for (const one of made) devices.set(deviceUser(one), one);
          audit();
          return made.map(withoutDigest);
        }),
      ),
    changeDevice: (key, change, request, now) =>
      pass("changeDevice", () => {
        const isRotation = change.digest !== undefined;
        const action = `device.${isRotation ? "rotate" : "enable"} ${deviceUser(key)}`;
        return once(records, request, action, { enabled: change.enabled }, now, deviceAnswer, audit => {
          const before = requireDevice(records, key);
          const after = { ...before, ...change };
          if (after.enabled === before.enabled && !isRotation) return withoutDigest(before);
          const changed = { ...after, version: before.version + 1 };
          devices.set(deviceUser(key), changed);
          audit();
          return withoutDigest(changed);
        });
      }),
    deleteDevice: (key, request, now) =>
      pass("deleteDevice", () =>
        once(records, request, `device.delete ${deviceUser(key)}`, {}, now, emptyAnswer, audit => {
          requireDevice(records, key);
          devices.delete(deviceUser(key));
          audit();
        }),
      ),
    getDevice: key =>
      pass("getDevice", () => {
        const found = devices.get(deviceUser(key));
        return found === undefined || !workspaces.has(key.workspaceId) ? undefined : withoutDigest(found);
      }),
    listDevices: (workspaceId, page) =>
      pass("listDevices", () => {
        if (!workspaces.has(workspaceId)) throw refuse.noWorkspace(workspaceId);
        return pageOf(ofWorkspace(records, workspaceId).map(withoutDigest), page, one => one.deviceId);
      }),
    findDevices: keys =>
      pass("findDevices", () =>
        keys.flatMap(key => {
          const found = devices.get(deviceUser(key));
          const { desired = "deleted" } = workspaces.get(key.workspaceId) ?? {};
          return found?.enabled === true && desired !== "deleted" ? [found] : [];
        }),
      ),
    countDevicesAway: (id, before) => pass("countDevicesAway", () => countAway(records, id, before)),
    noteDevices: sightings =>
      pass("noteDevices", () => {
        for (const one of sightings) {
          const found = devices.get(deviceUser(one));
          if (found !== undefined) devices.set(deviceUser(one), sighted(found, one));
        }
      }),
  };
}

function countAway(records: Records, workspaceId: string, seenBefore: number): number {
  return ofWorkspace(records, workspaceId).filter(one => one.enabled && (one.seenAt ?? Infinity) < seenBefore).length;
}

function firstDevice(of: DeviceKey & { readonly digest: string }, createdBy: string, createdAt: number): KnownDevice {
  const none = { seenAt: undefined, denied: 0, deniedAt: undefined, deniedTopic: "" };
  return { ...of, enabled: true, version: 1, createdAt, createdBy, ...none };
}

function requireDevice(records: Records, key: DeviceKey): KnownDevice {
  const found = records.devices.get(deviceUser(key));
  if (found === undefined) throw refuseDevice.missing(key);
  return found;
}

function ofWorkspace(records: Records, workspaceId: string): readonly KnownDevice[] {
  return [...records.devices.values()].filter(one => one.workspaceId === workspaceId);
}

function idsOf(wanted: readonly { readonly deviceId: string }[]): readonly string[] {
  return wanted.map(one => one.deviceId);
}
