import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EDGE_ENTRY_POINTS } from "@skep/core/routing/entry-points.ts";
import { expect, it } from "vitest";
import { parseDocument } from "yaml";
import { root } from "./sources.ts";

// The docker client refuses a file that says a thing twice, minutes into a start.
it.each(readdirSync(join(root, "stack")).filter(name => name.endsWith(".yml")))("%s says each thing once", name => {
  const { errors } = parseDocument(readFileSync(join(root, "stack", name), "utf8"), { merge: true });
  expect(errors.map(error => error.message)).toEqual([]);
});

// A scheduler takes the address of a tenant by its list, and a host connects by its own.
it.each(["DATABASE", "WEBHOOK"])("has schedulers and hosts agree where a %s may be inside", what => {
  const environmentOf = (file: string, service: string): unknown =>
    parseDocument(readFileSync(join(root, "stack", file), "utf8"), { merge: true }).getIn([
      ...["services", service, "environment"],
    ]);
  const at = (file: string, service: string, name: string): unknown =>
    (environmentOf(file, service) as { get(key: string): unknown }).get(name);
  const variable = `SKEP_WORKSPACE_${what}_HOSTS`;
  expect(at("skep.yml", "scheduler", variable)).toBe(`\${${variable}:-}`);
  expect(at("workspaces.yml", "workspace-host", `SKEP_ALLOWED_${what}_HOSTS`)).toBe(`\${${variable}:-}`);
});

// Labels that name another one are refused: Traefik would drop their routers in silence.
it.each(["traefik.yml", "traefik-workspaces.yml"])("%s has the entry points that labels may name", name => {
  const { entryPoints } = parseDocument(readFileSync(join(root, "stack", name), "utf8")).toJS() as {
    readonly entryPoints: object;
  };
  const open = Object.keys(entryPoints).filter(one => one !== "ping" && !one.startsWith("skep-"));
  expect(open).toEqual(EDGE_ENTRY_POINTS);
});
