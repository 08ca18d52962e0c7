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
  return renderTable(
    ["DOMAIN", "PATH", "KIND", "DEPLOYMENT", "PORT", "SERVERS"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
}
