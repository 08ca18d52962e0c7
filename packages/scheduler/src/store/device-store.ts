import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Device, DeviceKey, DeviceSighting, KnownDevice } from "@skep/core/workspace/device.ts";
import type { Page, PageRequest, Request } from "./request.ts";

/** A device that is to be: its id, and what is kept of its secret. */
export interface NewDevice {
  readonly deviceId: string;
  readonly digest: string;
}

/** What is wanted of a device otherwise; each of them ends what it has open. */
export interface DeviceChange {
  readonly digest?: string;
  readonly enabled?: boolean;
}

/** Who the devices of workspaces are. */
export interface DeviceStore {
  /**
   * Makes all of them, or none.
   * @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`, `failed_precondition` `WORKSPACE_DELETED`,
   * `already_exists` `DEVICE_EXISTS`, `resource_exhausted` `TOO_MANY_DEVICES`.
   */
  createDevices(
    workspaceId: WorkspaceId,
    devices: readonly NewDevice[],
    request: Request,
    now: number,
  ): Promise<readonly Device[]>;
  /** @throws SkepError `not_found` `DEVICE_NOT_FOUND`. */
  changeDevice(key: DeviceKey, change: DeviceChange, request: Request, now: number): Promise<Device>;
  /** @throws SkepError `not_found` `DEVICE_NOT_FOUND`. */
  deleteDevice(key: DeviceKey, request: Request, now: number): Promise<void>;
  getDevice(key: DeviceKey): Promise<Device | undefined>;
  /** By id. @throws SkepError `not_found` `WORKSPACE_NOT_FOUND`. */
  listDevices(workspaceId: WorkspaceId, page: PageRequest): Promise<Page<Device>>;
  /**
   * Those of them that may connect: they are there and enabled, and their workspace is not being
   * deleted. In no order.
   */
  findDevices(keys: readonly DeviceKey[]): Promise<readonly KnownDevice[]>;
  /** How many that may connect were seen once, and not since `seenBefore`. */
  countDevicesAway(workspaceId: WorkspaceId, seenBefore: number): Promise<number>;
  /** Keeps when devices were seen, and what they were denied; one that is gone is passed over. */
  noteDevices(sightings: readonly DeviceSighting[]): Promise<void>;
}
