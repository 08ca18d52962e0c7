import { SkepError } from "../error.ts";
import type { Permission } from "./permission.ts";
import type { Grant, Principal, Scope } from "./principal.ts";

/** Answers why a principal may not do something within a scope, or `undefined` where it may. */
export function authorise(principal: Principal, permission: Permission, scope: Scope): SkepError | undefined {
  if (principal.grants.some(grant => holds(grant, permission) && covers(grant.scope, scope))) return undefined;
  const where = scope.kind === "platform" ? "on the whole platform" : `for the tenant ${scope.tenantId}`;
  return new SkepError(
    "permission_denied",
    "PERMISSION_MISSING",
    `${principal.name} may not do this: it needs the permission ${permission} ${where}. Ask an operator for it.`,
    { details: { permission, principal: principal.name } },
  );
}

function holds({ permissions }: Grant, permission: Permission): boolean {
  return permissions === "all" || permissions.includes(permission);
}

function covers(granted: Scope, asked: Scope): boolean {
  if (granted.kind === "platform") return true;
  return asked.kind === "tenant" && asked.tenantId === granted.tenantId;
}
