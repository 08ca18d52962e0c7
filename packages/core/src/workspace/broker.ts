import type { Mode, WorkspaceId } from "./connector.ts";

/** Which broker the devices of a workspace come to: that of all, or that of its own pod. */
export type BrokerSide = "shared" | "own";

/** Where the devices of a workspace are to be. */
export interface WorkspaceBroker {
  readonly workspaceId: WorkspaceId;
  readonly side: BrokerSide;
  /** Grows each time that they are sent to the other side; 0 before the first. */
  readonly serial: number;
  /** Of an own broker; `undefined` while it runs nowhere, and for the shared one. */
  readonly address: BrokerAddress | undefined;
  /** Whether they were sent there so lately that gates may not have heard of it. */
  readonly isSwitched: boolean;
}

/** Where a broker listens. */
export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** What a gate has open of a workspace. */
export interface GatePlace {
  readonly workspaceId: WorkspaceId;
  /**
   * The lowest serial of what it has open. Where it has nothing open, the one that it lets devices
   * in by: it opens nothing by a lower one any more.
   */
  readonly serial: number;
  readonly connections: number;
}

/** All that a gate has open, in place of what it told before. */
export interface GateReport {
  readonly gateId: string;
  /** Grows with each report of the process. */
  readonly seq: number;
  readonly places: readonly GatePlace[];
}

/** A gate that may have devices of a workspace where they were before they were switched. */
export interface GateBehind {
  readonly gateId: string;
  readonly seenAt: number;
  /** Connections of the workspace that it told of; 0 where it has told nothing of it since. */
  readonly connections: number;
}

/** A gate is told of a switch that was no longer ago, also where it has nobody connected. */
export const GATE_KEPT_MS = 10 * 60_000;

/** Where devices of a workspace are that were never switched. */
export function sideOf(mode: Mode): BrokerSide {
  return mode === "standalone" ? "own" : "shared";
}

/**
 * Whether a gate has confirmed that nobody of the workspace is where devices were before `serial`.
 * One that says nothing of the workspace may be about to let somebody in by what it heard before.
 */
export function isBehind(place: GatePlace | undefined, serial: number): boolean {
  return place === undefined || place.serial < serial;
}
