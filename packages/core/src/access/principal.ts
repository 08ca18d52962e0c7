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

/** The caller of a request. */
export interface Principal {
  /** `operator` holds the platform's token; `anonymous` has none. */
  readonly kind: "operator" | "anonymous";
  /** The name that the audit log keeps. */
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** The holder of the platform's token: it may do everything. */
export function anOperator(name: string): Principal {
  return { kind: "operator", name, grants: [{ permissions: "all", scope: PLATFORM }] };
}

/** A caller without a token. It may do nothing that needs a permission. */
export const ANONYMOUS: Principal = { kind: "anonymous", name: "anonymous", grants: [] };
