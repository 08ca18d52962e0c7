import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { ProjectSchema } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import type { Project } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { renderApps } from "../output/apps.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { act, examples } from "../session/act.ts";
import { newKey } from "../session/change.ts";
import { untilGone } from "../session/gone.ts";
import type { Session } from "../session/open.ts";
import { timeoutOption } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

/** `skep project`. */
export const project: Setup = (command, io) => {
  examples(command, [
    ["skep project list", "every project of your tenant"],
    ["skep project show shop", "what belongs to it, and how far that is"],
    ["skep project rm shop", "end and forget all of it; the data of its volumes stays"],
    ["skep project rm shop --volumes", "with the data of its volumes, for ever"],
  ]);
  const list = command.command("list").alias("ls").summary("List projects.");
  act(list, io, async session => {
    const { projects } = await session.api.projects.listProjects({ tenantId: session.tenant });
    print(
      session,
      () => listJson(ProjectSchema, projects),
      () => renderProjects(session, projects),
    );
    if (projects.length === 0 && !session.json)
      io.err(`Tenant ${session.tenant} has no projects. Deploy one with \`skep deploy -f compose.yaml\`.\n`);
  });
  const one = command.command("show").summary("Show one project.").argument("<project>");
  act(one, io, async (session, _options: object, name: string) => {
    const { deployments } = await session.api.projects.getProject({ tenantId: session.tenant, project: name });
    print(
      session,
      () => listJson(DeploymentSchema, deployments),
      () => renderApps(session, deployments),
    );
  });
  const remove = command
    .command("rm")
    .summary("Remove every deployment of a project.")
    .argument("<project>")
    .option("--volumes", "the data of its volumes as well")
    .option("--no-wait", "do not wait until nothing of it is left")
    .addOption(timeoutOption("2m"));
  act(remove, io, async (session, options: WaitOptions & { readonly volumes?: boolean }, name: string) => {
    const of = { tenantId: session.tenant, project: name, withVolumes: options.volumes === true };
    const { deploymentIds } = await session.api.projects.deleteProject({ ...of, idempotencyKey: newKey() });
    print(
      session,
      () => deploymentIds,
      () => deploymentIds.map(id => `${id}: is removed\n`).join(""),
    );
    const until = io.now() + options.timeout;
    if (options.wait) for (const id of deploymentIds) await untilGone(session, id, until);
  });
};

function renderProjects({ io }: Session, projects: readonly Project[]): string {
  const columns = [
    { heading: "PROJECT" },
    { heading: "DEPLOYMENTS", align: "right" },
    { heading: "AS WANTED", align: "right" },
  ] as const;
  const rows = projects.map(({ name, deployments, converged }) => [name, String(deployments), String(converged)]);
  return renderTable(columns, rows, io.isTty ? io.width : undefined);
}
