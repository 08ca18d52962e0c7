import type { WorkspaceLocation } from "./host.ts";
import type { WorkspaceRecord } from "./record.ts";

/** How a workspace is (R107). */
export type WorkspaceState = "waiting" | "deploying" | "active" | "idle" | "error" | "stopping" | "stopped";

/** How a workspace is, by its record and by the host that has it, if one has. */
export function workspaceState(
  { desired }: Pick<WorkspaceRecord, "desired">,
  location: Pick<WorkspaceLocation, "desired" | "state"> | undefined,
): WorkspaceState {
  if (location === undefined || location.state === "stopped") return desired === "run" ? "waiting" : "stopped";
  if (desired !== "run" || location.desired === "stop") return "stopping";
  return location.state === "running" ? "active" : "deploying";
}
