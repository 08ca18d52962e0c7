import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import { inOrder, type Records } from "../memory-records.ts";

/** Where placed workspaces are reached, by id. */
export function reachesOf({ workspaceLocations, workspaceHosts }: Records): readonly WorkspaceReach[] {
  const live = [...workspaceLocations.values()].filter(one => one.state !== "stopped" && one.role === undefined);
  return inOrder(live, one => one.workspaceId).map(({ workspaceId, hostId, state, desired }) => {
    const { address = "", eventsPort: port = 0 } = workspaceHosts.get(hostId) ?? {};
    return { workspaceId, address, port, isServed: state === "running" && desired === "run" };
  });
}
