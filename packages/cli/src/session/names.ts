import type { Session } from "./open.ts";

/** Id of a deployment: `web` is the session's tenant's, `acme.web` is acme's. */
export function deploymentId(session: Session, name: string): string {
  return name.includes(".") ? name : `${session.tenant}.${name}`;
}

/** Whether the name means an instance, `web.7` or `acme.web.7`, and its id. */
export function instanceId(session: Session, name: string): string | undefined {
  const parts = name.split(".");
  if (parts.length === 3) return name;
  return parts.length === 2 && /^\d+$/.test(parts[1] ?? "") ? `${session.tenant}.${name}` : undefined;
}
