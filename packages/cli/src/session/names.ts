import { deploymentIdOf, instanceIdOf, parseInstanceId } from "@skep/core/model/instance-id.ts";
import type { Session } from "./open.ts";

/** Id of a deployment: `web` is the session's tenant's, `acme.web` is acme's. */
export function deploymentId(session: Session, name: string): string {
  return name.includes(".") ? name : deploymentIdOf(session.tenant, name);
}

/** Whether the name means an instance, `web.7` or `acme.web.7`, and its id. */
export function instanceId(session: Session, name: string): string | undefined {
  const parsed = parseInstanceId(name);
  return parsed === undefined ? undefined : instanceIdOf(deploymentId(session, parsed.deploymentId), parsed.serial);
}
