import { isName } from "../model/validate-rules.ts";
import type { WorkspaceId } from "./connector.ts";

/** Where the host that has a workspace is reached. */
export interface WorkspaceReach {
  readonly workspaceId: WorkspaceId;
  /** Of the host: a name or an address; empty where it is not known. */
  readonly address: string;
  /** Where it serves events and data; 0 where it does not. */
  readonly port: number;
  /** Whether the host may have it and says that it runs. */
  readonly isServed: boolean;
  /** The half of one that moves which reads nothing: only the other half calls it. */
  readonly isHalf?: true;
}

/** All that is read of a reach, so that who keeps routes may compare these fields only. */
export const REACHED = [
  "workspaceId",
  "address",
  "port",
  "isServed",
  "isHalf",
] as const satisfies readonly (keyof WorkspaceReach)[];

/** The Socket.IO namespace of a workspace; what a client's URL ends with. */
export function namespaceOf(workspaceId: WorkspaceId): string {
  return `/ws/${workspaceId}`;
}

/** All of a workspace that is not MQTT is below this path, at every edge and at its host. */
export function pathOf(workspaceId: WorkspaceId): string {
  return `${namespaceOf(workspaceId)}/`;
}

/** The path of Socket.IO that a client of the workspace names. */
export function socketPathOf(workspaceId: WorkspaceId): string {
  return `${pathOf(workspaceId)}socket.io`;
}

/** The service that the halves of a workspace that moves offer each other. */
export const PEER_SERVICE = "skep.v1.PeerService";

/** What the other half of a workspace that moves calls is below this path. */
export function peerPathOf(workspaceId: WorkspaceId): string {
  return `${pathOf(workspaceId)}${PEER_SERVICE}/`;
}

/** What a path leads to. */
export interface ReachedPath {
  readonly workspaceId: WorkspaceId;
  /** What follows the workspace's own path, with the slash that it begins with. */
  readonly rest: string;
}

const PATH = /^\/ws\/([^/]*)((?:\/[\w.-]+)+\/?)$/;

/**
 * The workspace that a path of a request names, as it stands in the request and without its query.
 * `undefined` for all that another program could read otherwise: escapes, empty parts, dots.
 */
export function readWorkspacePath(path: string): ReachedPath | undefined {
  const [, workspaceId = "", rest = ""] = PATH.exec(path) ?? [];
  if (!isName(workspaceId) || rest.split("/").some(part => part === "." || part === "..")) return undefined;
  return { workspaceId, rest };
}

const ADDRESS = /^[A-Za-z0-9:]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9:])?$/;

/** Whether a text can be the name or the address of a host. */
export function isHostAddress(text: string): boolean {
  return ADDRESS.test(text);
}

/** The origin of the host that serves a workspace; `undefined` where nobody is known to. */
export function originOf({ address, port, isServed }: WorkspaceReach): string | undefined {
  if (!isServed || port === 0 || !isHostAddress(address)) return undefined;
  return `http://${address.includes(":") ? `[${address}]` : address}:${port}`;
}
