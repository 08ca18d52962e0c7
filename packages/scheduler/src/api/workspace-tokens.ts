import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { IssueTokenRequest, IssueTokenResponseSchema } from "@skep/api/gen/skep/v1/workspace_service_pb.ts";
import { SkepError } from "@skep/core/error.ts";
import { namespaceOf, socketPathOf } from "@skep/core/workspace/reach.ts";
import { tokenIssues } from "@skep/core/workspace/token-request.ts";
import { signToken, tokenKey } from "@skep/kit/workspace-token.ts";
import { refuse } from "../store/refusals.ts";
import type { ApiDeps } from "./deps.ts";

const LIFETIME_S = 3_600;
const ALL = ["#"];

/**
 * Issues a token for sockets. The records have the digest of the workspace's secret, which is all
 * that its tokens are signed with.
 */
export async function issueToken(
  { store, clock }: Pick<ApiDeps, "store" | "clock">,
  { workspaceId, subject, topics, lifetimeS }: IssueTokenRequest,
): Promise<MessageInitShape<typeof IssueTokenResponseSchema>> {
  const record = await store.getWorkspace(workspaceId);
  if (record === undefined) throw refuse.noWorkspace(workspaceId);
  const request = {
    ...{ subject, topics: topics.length === 0 ? ALL : topics },
    lifetimeMs: (lifetimeS || LIFETIME_S) * 1_000,
  };
  const issues = tokenIssues(request);
  const [first] = issues;
  if (first !== undefined) {
    const says = `No token: ${first.path}: ${first.problem}; ${first.advice}.`;
    throw new SkepError("invalid_argument", "BAD_TOKEN_REQUEST", says, { issues });
  }
  const from = clock.now();
  const until = from + request.lifetimeMs;
  const key = tokenKey(workspaceId, record.connector.access.secret);
  return {
    token: signToken(workspaceId, key, { subject, topics: request.topics, from, until }),
    expiresAt: timestampFromMs(until),
    ...{ namespace: namespaceOf(workspaceId), path: socketPathOf(workspaceId) },
  };
}
