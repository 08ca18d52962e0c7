import type { BrokerSide, GateBehind, GateReport, WorkspaceBroker } from "@skep/core/workspace/broker.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import type { Mandate } from "./mandate.ts";

/** A gate that did not tell that it ended is forgotten this long after its last report. */
export const GONE_AFTER_MS = 86_400_000;

/** At which broker devices are, and what gates say of it. */
export interface GateStore {
  /**
   * Where the devices of each of these are to be, and those of each that were switched after
   * `switchedAfter`. In the order of their ids; one without a record is left out.
   */
  locateBrokers(ids: readonly WorkspaceId[], switchedAfter: number): Promise<readonly WorkspaceBroker[]>;
  /**
   * Keeps what a gate has open, in place of what it told before. An older report changes nothing.
   */
  saveGateReport(report: GateReport, now: number): Promise<void>;
  /** The gate has ended, and has nothing open. */
  forgetGate(gateId: string): Promise<void>;
  /**
   * The gates seen after `seenAfter` that have not confirmed that nobody of the workspace is where
   * devices were before they were switched last. In the order of their ids.
   */
  listGatesBehind(workspaceId: WorkspaceId, seenAfter: number): Promise<readonly GateBehind[]>;
  /**
   * Sends the devices of a workspace to a side, by the leader. Answers whether it is written: it is
   * not where the serial is another one than `fromSerial`, or where there is no such workspace.
   * @throws SkepError `aborted` `LEASE_LOST`.
   */
  switchDevices(
    workspaceId: WorkspaceId,
    to: BrokerSide,
    fromSerial: number,
    mandate: Mandate,
    now: number,
  ): Promise<boolean>;
}
