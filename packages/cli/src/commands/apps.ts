import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { renderApps } from "../output/apps.ts";
import { listJson, print } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { allPages } from "../session/pages.ts";
import type { Setup } from "./command.ts";

/** `skep apps`. */
export const apps: Setup = (command, io) => {
  examples(command.alias("list").option("-A, --all-tenants", "those of every tenant"), [
    ["skep apps", "deployments of your tenant"],
    ["skep apps -A -o json", "all of them, for a program"],
  ]);
  act(command, io, async (session, options: { allTenants?: boolean }) => {
    const tenantId = options.allTenants === true ? "" : session.tenant;
    const found = await allPages(
      pageToken => session.api.deployments.listDeployments({ tenantId, pageSize: 500, pageToken }),
      page => page.deployments,
    );
    // A tenant that is not there has no deployments either; its name is then more likely a slip.
    if (found.length === 0 && tenantId !== "") await session.api.tenants.getTenant({ tenantId });
    print(
      session,
      () => listJson(DeploymentSchema, found),
      () => renderApps(session, found),
    );
    if (found.length === 0 && !session.json)
      io.err(`Tenant ${session.tenant} has no deployments. Deploy one with \`skep deploy -f compose.yaml\`.\n`);
  });
};
