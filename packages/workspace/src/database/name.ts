import type { WorkspaceId } from "@skep/core/workspace/connector.ts";

/** Databases of workspaces begin with this, so that no id is a database of the server itself. */
const PREFIX = "ws_";

/**
 * The database of a workspace (R16). No two ids give one name: an id is lower-case letters, digits
 * and dashes, at most 40, and MongoDB takes all of them and 63 bytes.
 */
export function databaseName(workspaceId: WorkspaceId): string {
  return PREFIX + workspaceId;
}

/**
 * The database that a tenant's own address names (R85), since its user may have no other;
 * `undefined` where it names none.
 */
export function databaseOfUrl(url: string): string | undefined {
  const [, name = ""] = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]*)/.exec(url) ?? [];
  return name === "" ? undefined : decodeURIComponent(name);
}
