import { databaseUrlIssues } from "@skep/core/workspace/database-url.ts";

/**
 * Whether a server that a replica set names as its member lies in the platform's own network; a
 * tenant's server could name any. What is wrong, or `undefined`.
 */
export function strangerIn(members: readonly string[], allowedHosts: readonly string[]): string | undefined {
  const wrong = members.flatMap(member => databaseUrlIssues(`mongodb://${member}`, allowedHosts))[0];
  return wrong === undefined ? undefined : `a member of the replica set may not be used: ${wrong.problem}`;
}
