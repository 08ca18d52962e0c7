import type { WorkspaceId } from "@skep/core/workspace/connector.ts";

/** The Socket.IO namespace of a workspace; what a client's URL ends with. */
export function namespaceOf(workspaceId: WorkspaceId): string {
  return `/ws/${workspaceId}`;
}
