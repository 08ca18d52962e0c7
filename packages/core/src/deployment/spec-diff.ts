import { hashText } from "../converge/spec-hash.ts";
import type { DeploymentSpec } from "../model/deployment.ts";

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
 * The same without the values of the environment, which may be secrets: only that there was one, or
 * will be.
 */
export function withoutValues(differences: readonly Difference[]): readonly Difference[] {
  const hidden = (value: string | undefined): string | undefined => (value === undefined ? undefined : "(hidden)");
  return differences.map(({ path, before, after }) =>
    /^containers\.[^.]+\.env\./.test(path)
      ? { path, before: hidden(before), after: hidden(after) }
      : { path, before, after },
  );
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
  else if (value instanceof Uint8Array) found.set(path, `${value.byteLength} bytes ${hashText(value.join())}`);
  else if (isList) found.set(path, value.length === 0 ? "" : value.join(" "));
  else for (const [key, item] of Object.entries(value)) visit(item, path === "" ? key : `${path}.${key}`, found);
}
