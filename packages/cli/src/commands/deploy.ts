import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { ProjectChange } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import type { ProjectDeployment } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { renderApplied } from "../output/applied.ts";
import { enumWord } from "../output/enum-word.ts";
import { sharedLines } from "../output/routes.ts";
import { messageJson } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { applyProject } from "../session/apply-project.ts";
import type { ApplyOptions } from "../session/apply-project.ts";
import { composeOptions } from "../session/compose-file.ts";
import type { ComposeOptions } from "../session/compose-file.ts";
import type { Session } from "../session/open.ts";
import { readForPlatform } from "../session/platform-limits.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

type Options = WaitOptions & ComposeOptions & ApplyOptions;

/** `skep deploy`. */
export const deploy: Setup = (command, io) => {
  waitOptions(composeOptions(command))
    .option("--dry-run", "show what would change, and change nothing")
    .option("--prune", "also remove deployments of the project that the files do not name any more");
  examples(command, [
    ["skep deploy -f compose.yaml", "create or update every service of the file, and wait"],
    ["skep deploy --dry-run", "what that would change"],
    ["skep deploy --prune", "and remove what has left the file"],
    ["skep deploy -f compose.yaml -f production.yaml", "the second file changes what the first says"],
    ["skep deploy web", "only this service, with what it needs"],
    ["skep deploy --profile debug", "with the services of a profile, which are left out otherwise"],
    ["skep deploy -t acme --timeout 10m", "for another tenant, with more patience"],
    ["TAG=1.28 skep deploy --no-wait", "a variable of the file; do not wait"],
    ["skep deploy -o json | jq .deployments", "what became of each, for a program"],
  ]);
  act(command, io, async (session, options: Options, services: readonly string[]) => {
    const read = await readForPlatform(session, services, options, options.timeout);
    const { deployments: applied } = await applyProject(session, read, options, options.timeout);
    const isDryRun = options.dryRun === true;
    if (!session.json) io.out(applied.map(one => renderApplied(session, one, isDryRun)).join(""));
    const wanted = isDryRun ? [] : applied.filter(isWanted).flatMap(({ deployment }) => deployment ?? []);
    const finished = await waitFor(session, wanted, options);
    await tellShared(session, finished);
    if (session.json) io.out(`${JSON.stringify(appliedJson(applied, finished), undefined, 2)}\n`);
  });
};

/** Whether it is to run as the files say: the others have left them. */
function isWanted({ change }: ProjectDeployment): boolean {
  return change !== ProjectChange.LEFT && change !== ProjectChange.REMOVED;
}

/** Says of what was deployed where another deployment asks for the same domain and path. */
async function tellShared(session: Session, deployments: readonly Deployment[]): Promise<void> {
  for (const { id, domains } of deployments) {
    if (domains.length === 0) continue;
    const { routes } = await session.api.routing.listRoutes({ deploymentId: id, pageSize: 500 });
    for (const line of routes.flatMap(route => sharedLines(session, route))) session.io.err(line);
  }
}

function appliedJson(applied: readonly ProjectDeployment[], finished: readonly Deployment[]): object {
  const byId = new Map(finished.map(deployment => [deployment.id, deployment]));
  return {
    deployments: applied.flatMap(({ change, differences, deployment }) =>
      deployment === undefined
        ? []
        : {
            id: deployment.id,
            change: enumWord(ProjectChange, change),
            changedPaths: differences.map(({ path }) => path),
            differences: differences.map(({ path, before, after }) => ({ path, before, after })),
            deployment: messageJson(DeploymentSchema, byId.get(deployment.id) ?? deployment),
          },
    ),
  };
}
