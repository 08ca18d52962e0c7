import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import { toConnectError } from "@skep/api/codec/error.ts";
import { SkepError } from "@skep/core/error.ts";
import type { WorkspaceId } from "@skep/core/workspace/connector.ts";
import { PEER_SERVICE } from "@skep/core/workspace/reach.ts";
import type { Caller } from "../events/token.ts";
import { Refusal } from "../events/refusal.ts";
import type { ServedHalf, ServedWorkspace, ServedWorkspaces } from "./served.ts";

/** The workspace that a request names by its path. */
export const namedKey = createContextKey<WorkspaceId>("", { description: "the workspace that the path names" });

const servedKey = createContextKey<ServedWorkspace | undefined>(undefined, { description: "the workspace itself" });

/** The workspace of a call that was let in: no handler finds another one. */
export function servedOf(context: HandlerContext): ServedWorkspace {
  const served = context.values.get(servedKey);
  if (served === undefined) throw new SkepError("internal", "NO_WORKSPACE", "The call came past the gate.");
  return served;
}

const halfKey = createContextKey<ServedHalf | undefined>(undefined, { description: "a half of one that moves" });

/** The half of a workspace that the other half calls. */
export function halfOf(context: HandlerContext): ServedHalf {
  const half = context.values.get(halfKey);
  if (half === undefined) throw new SkepError("internal", "NO_WORKSPACE", "The call came past the gate.");
  return half;
}

/**
 * Lets a call pass that shows a token of the workspace that its path names, before its body is
 * read. What a tenant asks is answered by the owner only; a peer asks the half of a workspace that
 * moves which reads nothing.
 */
export function createCallGate(workspaces: ServedWorkspaces): (context: HandlerContext) => Promise<void> {
  return async context => {
    const id = context.values.get(namedKey);
    const { typeName } = context.service;
    const isPeer = typeName === PEER_SERVICE;
    const [served, half] = isPeer ? [undefined, workspaces.half(id)] : [workspaces.get(id), undefined];
    const found = served ?? half;
    if (found === undefined) throw toConnectError(notHere(id));
    const { may } = await callerOf(context, found);
    if (may !== (isPeer ? "peer" : "data")) throw toConnectError(notFor(may, typeName));
    if (served !== undefined && !served.mayRead()) throw toConnectError(notHere(id));
    context.values.set(servedKey, served).set(halfKey, half);
  };
}

async function callerOf({ requestHeader }: HandlerContext, { lock }: Pick<ServedHalf, "lock">): Promise<Caller> {
  const token = /^Bearer ([\x21-\x7e]+)$/i.exec(requestHeader.get("authorization") ?? "")?.[1];
  if (token === undefined) throw unknown("NO_CREDENTIALS", "Send the header `Authorization: Bearer <token>`.");
  try {
    return await lock.caller(token);
  } catch (error) {
    if (error instanceof Refusal) throw unknown(error.data.reason, error.message);
    throw error;
  }
}

/** What a host says of a workspace that it does not have, or not any more. */
export function notHere(id: WorkspaceId): SkepError {
  const sentence = `This host does not have the workspace ${id}; ask again, or ask the schedulers where it is.`;
  return new SkepError("unavailable", "WORKSPACE_ELSEWHERE", sentence);
}

function notFor(may: Caller["may"], service: string): SkepError {
  const sentence =
    may === undefined
      ? "The token is for sockets: ask the API of the schedulers for messages and files."
      : `The token is not for ${service}.`;
  return new SkepError("permission_denied", "TOKEN_FOR_ANOTHER_USE", sentence);
}

function unknown(reason: string, sentence: string): Error {
  return toConnectError(new SkepError("unauthenticated", reason, sentence));
}
