import { RouteKind } from "@skep/api/gen/skep/v1/routing_pb.ts";
import type { Route } from "@skep/api/gen/skep/v1/routing_pb.ts";
import { enumWord } from "./enum-word.ts";
import { renderTable } from "./table.ts";
import { shortName } from "./view.ts";
import type { View } from "./view.ts";

/** Routes as a table, with the servers that get their requests right now. */
export function renderRoutes(view: View, found: readonly Route[]): string {
  const { io } = view;
  const rows = found.map(route => [
    route.domain,
    route.path,
    `${enumWord(RouteKind, route.kind)}${route.tls ? "+tls" : ""}`,
    shortName(view, route.deploymentId),
    String(route.targetPort),
    route.servers.map(server => `${server.address}:${server.port}`).join(" ") || "none: no healthy instance",
  ]);
  const table = renderTable(
    ["DOMAIN", "PATH", "KIND", "DEPLOYMENT", "PORT", "SERVERS"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
  return [table, ...found.flatMap(route => sharedLines(view, route))].join("");
}

/**
 * A sentence for a route that others share. Two that ask for one thing may be meant so, and may be
 * a mistake: both are named.
 */
export function sharedLines(view: View, { domain, path, deploymentId, sharedWith }: Route): readonly string[] {
  if (sharedWith.length === 0) return [];
  const others = sharedWith.map(id => shortName(view, id)).join(", ");
  const name = shortName(view, deploymentId);
  return [`${domain}${path} of ${name} is asked for by ${others} as well: they share its requests by weight.\n`];
}
