import type { WorkspaceReach } from "@skep/core/workspace/reach.ts";
import { ask, type Queryable } from "../sql.ts";

/**
 * Where placed workspaces are reached. Of one with several placements there is one that reads and
 * has not stopped, and nobody else may answer for it.
 */
export const REACH = `SELECT l.workspace_id AS "workspaceId", h.address, h.events_port AS port,
  l.state = 'running' AND l.desired = 'run' AS "isServed"
FROM workspace_locations l JOIN workspace_hosts h USING (host_id) WHERE l.state <> 'stopped' AND l.role = 'reader'`;

/** Where the halves are that read nothing, of those that are on shared hosts. */
export const HALVES = `SELECT l.workspace_id AS "workspaceId", h.address, h.events_port AS port,
  l.state = 'running' AND l.desired = 'run' AS "isServed"
FROM workspace_locations l JOIN workspace_hosts h USING (host_id)
WHERE l.state <> 'stopped' AND l.role = 'standby' AND h.workspace_id IS NULL`;

const ONE = { name: "reach-workspace", text: `${REACH} AND l.workspace_id = $1` };

/** See `HostingStore.reachWorkspace`. */
export async function reachWorkspace(db: Queryable, workspaceId: string): Promise<WorkspaceReach | undefined> {
  return (await ask<WorkspaceReach & Record<string, unknown>>(db, ONE, [workspaceId]))[0];
}
