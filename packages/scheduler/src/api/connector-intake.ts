import type { Connector as ConnectorMessage } from "@skep/api/gen/skep/v1/workspace_pb.ts";
import { connectorFromProto } from "@skep/api/codec/connector.ts";
import { SkepError, type Issue } from "@skep/core/error.ts";
import { validateConnector, type Connector } from "@skep/core/workspace/connector.ts";
import { databaseUrlIssues } from "@skep/core/workspace/database-url.ts";
import { fileStoreIssues } from "@skep/core/workspace/file-store.ts";
import { withSecret } from "@skep/core/workspace/secrets.ts";
import { digestSecret, isDigest } from "@skep/kit/secret-digest.ts";

/**
 * Reads a connector as it was sent, with the digest in place of its secret. `databaseHosts` of the
 * platform's own network may be its database and its S3 server.
 * @throws SkepError `invalid_argument` `CONNECTOR_INVALID` with everything that is wrong.
 */
export function acceptConnector(message: ConnectorMessage, databaseHosts: readonly string[]): Connector {
  return accept(message, databaseHosts, true);
}

/**
 * The same for a change, where an empty secret keeps the recorded one. @throws as
 * `acceptConnector`.
 */
export function acceptChangedConnector(
  message: ConnectorMessage,
  databaseHosts: readonly string[],
  workspaceId: string,
): Connector {
  const connector = accept(message, databaseHosts, message.access?.secret !== "");
  if (connector.id === workspaceId) return connector;
  throw invalid([
    {
      path: "id",
      problem: `it is ${connector.id}, and the workspace is ${workspaceId}`,
      advice: "an id cannot change: create a new workspace",
    },
  ]);
}

function accept(message: ConnectorMessage, databaseHosts: readonly string[], hasSecret: boolean): Connector {
  const connector = connectorFromProto(message);
  const { secret } = connector.access;
  const issues = validateConnector(connector).filter(one => hasSecret || one.path !== "access.secret");
  const taken: readonly Issue[] = isDigest(secret)
    ? [{ path: "access.secret", problem: "it has the form of a digest", advice: "choose a secret of its own" }]
    : [];
  const { database, files } = connector.config.resources.specs;
  const { url } = database;
  const all = [
    ...[...issues, ...taken],
    ...(url === undefined ? [] : databaseUrlIssues(url, databaseHosts)),
    ...(files === undefined ? [] : fileStoreIssues(files, databaseHosts)),
  ];
  if (all.length > 0) throw invalid(all);
  return hasSecret ? withSecret(connector, digestSecret(connector.id, secret)) : connector;
}

function invalid(issues: readonly Issue[]): SkepError {
  const [first] = issues;
  const more = issues.length === 1 ? "" : ` (and ${issues.length - 1} more, in \`issues\`)`;
  const message = `connector.${first?.path}: ${first?.problem}; ${first?.advice}${more}.`;
  return new SkepError("invalid_argument", "CONNECTOR_INVALID", message, {
    issues: issues.map(one => ({ ...one, path: `connector.${one.path}` })),
  });
}
