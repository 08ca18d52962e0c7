import type { DeploymentSpec } from "@skep/core/model/deployment.ts";

/**
 * One value that differs: where, what it was, what it becomes; `undefined` where there was or will
 * be none.
 */
export interface Difference {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/**
 * What differs between two specs, in the order of the new one. Containers are told apart by name.
 */
export function diffSpecs(before: DeploymentSpec, after: DeploymentSpec): readonly Difference[] {
  const old = flatten(before);
  const fresh = flatten(after);
  const paths = [...new Set([...fresh.keys(), ...old.keys()])];
  return paths
    .filter(path => old.get(path) !== fresh.get(path))
    .map(path => ({ path, before: old.get(path), after: fresh.get(path) }));
}

/**
 * `image nginx:1.26 → nginx:1.27, replicas 1 → 3`; values of the environment are not shown, for
 * they may be secrets.
 */
export function renderDiff(differences: readonly Difference[], most = 4): string {
  const shown = differences.slice(0, most).map(({ path, before, after }) => {
    const name = path.replace(/^containers\.[^.]+\./, "");
    if (name.startsWith("env."))
      return `${name} ${before === undefined ? "added" : after === undefined ? "removed" : "changed"}`;
    return `${name} ${before ?? "(none)"} → ${after ?? "(none)"}`;
  });
  const more = differences.length - shown.length;
  return shown.join(", ") + (more > 0 ? `, and ${more} more` : "");
}

function flatten(spec: DeploymentSpec): Map<string, string> {
  const { containers, ...rest } = spec;
  const named = Object.fromEntries(containers.map(container => [container.name, container]));
  const found = new Map<string, string>();
  visit({ containers: named, ...rest }, "", found);
  return found;
}

function visit(value: unknown, path: string, found: Map<string, string>): void {
  if (value === undefined) return;
  const isList = Array.isArray(value) && value.every(item => typeof item !== "object");
  if (typeof value !== "object" || value === null)
    found.set(path, typeof value === "string" ? value : JSON.stringify(value));
  else if (isList) found.set(path, value.length === 0 ? "" : value.join(" "));
  else for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}.${key}`, found);
}
