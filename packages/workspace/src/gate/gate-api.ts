import type { GateReport } from "@skep/core/workspace/broker.ts";
import type { DeviceKey } from "@skep/core/workspace/device.ts";
import type { ToldBroker } from "./brokers.ts";

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

/** Who may come in, and where. */
export interface Admitted {
  /** The version of each device that may, in the order of the claims; else 0. */
  readonly versions: readonly number[];
  /** Of each workspace of theirs once. */
  readonly brokers: readonly ToldBroker[];
}

/** The schedulers, as a gate knows them. Its calls reject while none of them answers. */
export interface GateApi {
  admit(claims: readonly DeviceClaim[]): Promise<Admitted>;
  /** Whether each may stay, in the same order. */
  report(devices: readonly ConnectedDevice[]): Promise<readonly boolean[]>;
  /** Tells at which brokers devices are. Answers where those that it names are to be. */
  place(report: GateReport & { readonly isLeaving?: boolean }): Promise<readonly ToldBroker[]>;
}
