import { SkepError } from "../error.ts";
import { isName } from "../model/validate-rules.ts";
import type { WorkspaceId } from "./connector.ts";
import { isDeviceId } from "./topic.ts";

/** Which device of which workspace. */
export interface DeviceKey {
  readonly workspaceId: WorkspaceId;
  readonly deviceId: string;
}

/** A device as people see it. Its secret is answered once, as it is made. */
export interface Device extends DeviceKey {
  /** One that is not is refused, and what it has open is ended. */
  readonly enabled: boolean;
  /** Grows with each change of what it may: an older connection is ended. */
  readonly version: number;
  readonly createdAt: number;
  readonly createdBy: string;
  /** When a gate last saw it; `undefined` before the first time. */
  readonly seenAt: number | undefined;
  /** Publishes and subscriptions to topics that are not its own, ever. */
  readonly denied: number;
  readonly deniedAt: number | undefined;
  /** Of the last one of them; empty before the first. */
  readonly deniedTopic: string;
}

/** A device with what is kept of its secret. */
export interface KnownDevice extends Device {
  /** See kit's `secret-digest.ts`. */
  readonly digest: string;
}

/** What a gate tells of a device that it lets through. */
export interface DeviceSighting extends DeviceKey {
  readonly seenAt: number;
  /** Denied since the last time that it told. */
  readonly denied: number;
  readonly deniedTopic: string;
}

/** Devices that a workspace may have. */
export const MOST_DEVICES = 100_000;
/** Devices that one request may create. */
export const MOST_CREATED = 1_000;
/** The longest topic that is kept of what was denied. */
const LONGEST_SHOWN = 256;

const USER = /^([^/]+)\/devices\/([^/]+)$/;

/** What a device says as its user name: `{workspace}/devices/{device}`, the front of its topics. */
export function deviceUser({ workspaceId, deviceId }: DeviceKey): string {
  return `${workspaceId}/devices/${deviceId}`;
}

/** Whom a user name means; `undefined` where it can be none of a device. */
export function readDeviceUser(user: string): DeviceKey | undefined {
  const [, workspaceId = "", deviceId = ""] = USER.exec(user) ?? [];
  return isName(workspaceId) && isDeviceId(deviceId) ? { workspaceId, deviceId } : undefined;
}

/** The device after a gate told of it. */
export function sighted<T extends Device>(device: T, { seenAt, denied, deniedTopic }: DeviceSighting): T {
  const seen = { ...device, seenAt: Math.max(device.seenAt ?? 0, seenAt) };
  if (denied === 0) return seen;
  return { ...seen, denied: device.denied + denied, deniedAt: seenAt, deniedTopic: shownTopic(deniedTopic) };
}

/** A topic as it is kept: bounded, and without what no text of a database may hold. */
export function shownTopic(topic: string): string {
  return topic.slice(0, LONGEST_SHOWN).replace(/[\p{Cc}\p{Cs}]/gu, "\ufffd");
}

/** The device as people see it. */
export function withoutDigest(device: KnownDevice): Device {
  const { workspaceId, deviceId, enabled, version, createdAt, createdBy, seenAt, denied, deniedAt, deniedTopic } =
    device;
  return { workspaceId, deviceId, enabled, version, createdAt, createdBy, seenAt, denied, deniedAt, deniedTopic };
}

/** Why a device is not changed: what is wrong, where, and what to do. */
export const refuseDevice = {
  exists: ({ workspaceId, deviceId }: DeviceKey): SkepError =>
    new SkepError(
      "already_exists",
      "DEVICE_EXISTS",
      `Workspace ${workspaceId} has a device ${deviceId} already, and none of the request was made; rotate its secret, or leave it out.`,
      { details: { workspaceId, deviceId } },
    ),
  missing: ({ workspaceId, deviceId }: DeviceKey): SkepError =>
    new SkepError(
      "not_found",
      "DEVICE_NOT_FOUND",
      `Workspace ${workspaceId} has no device ${deviceId}; list those that there are.`,
      { details: { workspaceId, deviceId } },
    ),
  tooMany: (workspaceId: WorkspaceId): SkepError =>
    new SkepError(
      "resource_exhausted",
      "TOO_MANY_DEVICES",
      `Workspace ${workspaceId} would have more than ${MOST_DEVICES} devices; delete those that are gone, or use another workspace.`,
      { details: { workspaceId } },
    ),
} as const;
