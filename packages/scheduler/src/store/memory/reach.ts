import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import { inOrder, type LocatedRow, type Records } from "../memory-records.ts";

/** Where placed workspaces are reached, by id. */
export function reachesOf(records: Records): readonly WorkspaceReach[] {
  return reached(records, one => one.role === undefined);
}

/** Where the halves are that read nothing, of those that are on shared hosts. */
export function halvesOf(records: Records): readonly WorkspaceReach[] {
  const { workspaceHosts } = records;
  const isShared = (hostId: string): boolean => workspaceHosts.get(hostId)?.workspaceId === undefined;
  const halves = reached(records, one => one.role === "standby" && isShared(one.hostId));
  return halves.map(one => ({ ...one, isHalf: true }));
}

function reached(
  { workspaceLocations, workspaceHosts }: Records,
  isWanted: (one: LocatedRow) => boolean,
): readonly WorkspaceReach[] {
  const live = [...workspaceLocations.values()].filter(one => one.state !== "stopped" && isWanted(one));
  return inOrder(live, one => one.workspaceId).map(({ workspaceId, hostId, state, desired }) => {
    const { address = "", eventsPort: port = 0 } = workspaceHosts.get(hostId) ?? {};
    return { workspaceId, address, port, isServed: state === "running" && desired === "run" };
  });
}
