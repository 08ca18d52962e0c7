import { RouteSchema } from "@skep/api/gen/skep/v1/routing_pb.ts";
import { listJson, print } from "../output/print.ts";
import { renderRoutes } from "../output/routes.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId } from "../session/names.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

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
