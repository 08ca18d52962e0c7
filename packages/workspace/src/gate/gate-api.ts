import type { DeviceKey } from "@skep/core/workspace/device.ts";

/** A device that wants in, with the digest of the secret that it showed. */
export interface DeviceClaim extends DeviceKey {
  readonly digest: string;
}

/** A device that is connected, or was since the last report. */
export interface ConnectedDevice extends DeviceKey {
  /** As it was admitted; 0 for one that is not connected any more. */
  readonly version: number;
  readonly denied: number;
  readonly deniedTopic: string;
  readonly seen: boolean;
}

/** Most of them in one call. */
export const MOST_ASKED = 1_000;

/** The schedulers, as a gate knows them. Its calls reject while none of them answers. */
export interface GateApi {
  /** The version of each device that may come in, in the order of the claims; else 0. */
  admit(claims: readonly DeviceClaim[]): Promise<readonly number[]>;
  /** Whether each may stay, in the same order. */
  report(devices: readonly ConnectedDevice[]): Promise<readonly boolean[]>;
}
