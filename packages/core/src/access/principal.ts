import type { Permission } from "./permission.ts";

/** What a permission holds for: the whole platform, or one tenant of it. */
export type Scope = { readonly kind: "platform" } | { readonly kind: "tenant"; readonly tenantId: string };

/** The whole platform. */
export const PLATFORM: Scope = { kind: "platform" };

/** Permissions, and where they hold. A grant for the platform holds for every tenant too. */
export interface Grant {
  readonly permissions: "all" | readonly Permission[];
  readonly scope: Scope;
}

/** As which host a process may speak. */
export interface HostRights {
  /** `undefined` for one that has only shown a secret, and may ask for a token. */
  readonly hostId: string | undefined;
  /** The one workspace that it may run; `undefined` for a host that many share. */
  readonly workspaceId: string | undefined;
}

/** The caller of a request. */
export interface Principal {
  /**
   * `operator` holds the platform's token; `host` is a process that runs workspaces, `gate` one
   * that lets devices in; `anonymous` has none.
   */
  readonly kind: "operator" | "host" | "gate" | "anonymous";
  /** The name that the audit log keeps. */
  readonly name: string;
  readonly grants: readonly Grant[];
  /** Of a `host`. */
  readonly host?: HostRights;
}

/** A host, or with no id yet a process that may become one. It may do nothing else. */
export function aHost(rights: HostRights): Principal {
  const { hostId } = rights;
  const permissions: readonly Permission[] = hostId === undefined ? ["hosts.enrol"] : ["hosts.enrol", "hosts.serve"];
  const name = hostId === undefined ? "a process of the hosts" : `host ${hostId}`;
  return { kind: "host", name, grants: [{ permissions, scope: PLATFORM }], host: rights };
}

/** A process that stands before a broker. It may ask who devices are, and nothing else. */
export function aGate(): Principal {
  return { kind: "gate", name: "a gate", grants: [{ permissions: ["devices.admit"], scope: PLATFORM }] };
}

/** The holder of the platform's token: it may do everything. */
export function anOperator(name: string): Principal {
  return { kind: "operator", name, grants: [{ permissions: "all", scope: PLATFORM }] };
}

/** A caller without a token. It may do nothing that needs a permission. */
export const ANONYMOUS: Principal = { kind: "anonymous", name: "anonymous", grants: [] };
