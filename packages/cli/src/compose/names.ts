import { projectDeploymentName } from "@skep/core/model/instance-id.ts";
import { isName } from "@skep/core/model/validate-rules.ts";
import type { Assembled } from "./assemble.ts";
import type { Problems } from "./problems.ts";
import type { Entry } from "./spots.ts";

/**
 * The deployment of each service, by the service's name in the file. Compose takes capitals, dots
 * and underscores, which no host name has: they are written otherwise, and a note says how.
 */
export function deploymentNames(
  services: readonly Entry[],
  project: string,
  problems: Problems,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const holders = new Map<string, string>();
  // Who is called so exactly keeps the name; the other one is refused.
  const exact = services.filter(({ key }) => serviceName(key) === key);
  for (const entry of [...exact, ...services.filter(one => !exact.includes(one))]) {
    const name = serviceName(entry.key);
    names.set(entry.key, projectDeploymentName(project, name));
    const holder = holders.get(name);
    if (!isName(name))
      problems.refuse(
        entry,
        `\`${entry.key.slice(0, 60)}\` cannot name a deployment`,
        "Use 1 to 40 letters, digits, dashes and underscores",
      );
    else if (holder !== undefined)
      problems.refuse(
        entry,
        `\`${entry.key}\` and \`${holder}\` would both be deployed as \`${name}\``,
        "Name one of them otherwise: capitals, dots and underscores make no difference",
      );
    else if (name !== entry.key)
      problems.note(
        entry,
        `\`${entry.key}\` is deployed as \`${name}\``,
        `Where it is no part of another's pod, commands take \`${projectDeploymentName(project, name)}\``,
      );
    if (holder === undefined) holders.set(name, entry.key);
  }
  return names;
}

/** A deployment's name holds that of its project, and both have to fit. */
export function checkNames(deployments: readonly Assembled[], problems: Problems): void {
  for (const { spec, services } of deployments) {
    const { project = "", service = "" } = spec;
    if (!isName(project) || !isName(service) || isName(spec.name)) continue;
    const room = 39 - service.length;
    problems.refuse(
      services[0].place,
      `its deployment would be called \`${spec.name}\`, and a name has at most 40 characters`,
      room < 1
        ? "Give the service a shorter name"
        : `Set \`name:\` at the top of the file: a name of the project with at most ${room} characters`,
    );
  }
}

/** The name of a service as hosts and containers have it. */
export function serviceName(service: string): string {
  return service
    .toLowerCase()
    .replace(/[._]/g, "-")
    .replace(/^-+|-+$/g, "");
}
