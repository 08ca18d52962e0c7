import { isName } from "@skep/core/model/validate-rules.ts";
import type { Problems } from "./problems.ts";
import type { Entry } from "./spots.ts";

/**
 * The deployment of each service, by the service's name. Compose takes capitals, dots and
 * underscores, which no host name has: they are written otherwise, and a note says how.
 */
export function deploymentNames(services: readonly Entry[], problems: Problems): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const holders = new Map<string, string>();
  // Who is called so exactly keeps the name; the other one is refused.
  const exact = services.filter(({ key }) => deploymentName(key) === key);
  for (const entry of [...exact, ...services.filter(one => !exact.includes(one))]) {
    const name = deploymentName(entry.key);
    names.set(entry.key, name);
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
        `Commands take this name, like \`skep logs ${name}\``,
      );
    if (holder === undefined) holders.set(name, entry.key);
  }
  return names;
}

/** The name of a deployment for the name of a service. */
export function deploymentName(service: string): string {
  return service
    .toLowerCase()
    .replace(/[._]/g, "-")
    .replace(/^-+|-+$/g, "");
}
