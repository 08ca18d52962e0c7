import { RouteKind, RouteSchema } from "@skep/api/gen/skep/v1/routing_pb.ts";
import type { Route } from "@skep/api/gen/skep/v1/routing_pb.ts";
import { enumWord } from "../output/enum-word.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, shortName } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./index.ts";

/** `skep routes`. */
export const routes: Setup = (command, io) => {
  command.argument("[name]", "only this deployment's").option("-A, --all-tenants", "those of every tenant");
  examples(command, [
    ["skep routes", "every domain of your tenant, and the instances that answer"],
    ["skep routes web", "those of one deployment"],
  ]);
  act(command, io, async (session, options: { allTenants?: boolean }, name: string | undefined) => {
    const filter = {
      tenantId: options.allTenants === true || name !== undefined ? "" : session.tenant,
      deploymentId: name === undefined ? "" : deploymentId(session, name),
    };
    if (filter.deploymentId !== "") await session.api.deployments.getDeployment({ deploymentId: filter.deploymentId });
    const found = await allPages(
      pageToken => session.api.routing.listRoutes({ ...filter, pageSize: 500, pageToken }),
      page => page.routes,
    );
    print(
      session,
      () => listJson(RouteSchema, found),
      () => renderRoutes(session, found),
    );
  });
};

/** Routes as a table, with the servers that get their requests right now. */
export function renderRoutes(session: Session, found: readonly Route[]): string {
  const { io } = session;
  const rows = found.map(route => [
    route.domain,
    route.path,
    `${enumWord(RouteKind, route.kind)}${route.tls ? "+tls" : ""}`,
    shortName(session, route.deploymentId),
    String(route.targetPort),
    route.servers.map(server => `${server.address}:${server.port}`).join(" ") || "none: no healthy instance",
  ]);
  return renderTable(
    ["DOMAIN", "PATH", "KIND", "DEPLOYMENT", "PORT", "SERVERS"].map(heading => ({ heading })),
    rows,
    io.isTty ? io.width : undefined,
  );
}
