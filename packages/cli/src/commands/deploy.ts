import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { colour } from "../output/colour.ts";
import { messageJson } from "../output/print.ts";
import { act, examples } from "../session/act.ts";
import { applySpec } from "../session/apply.ts";
import type { Applied } from "../session/apply.ts";
import { composeOptions, readComposeFiles } from "../session/compose-file.ts";
import type { ComposeOptions } from "../session/compose-file.ts";
import { inParallel } from "../session/in-parallel.ts";
import type { Session } from "../session/open.ts";
import { renderDiff } from "../session/spec-diff.ts";
import { waitFor, waitOptions } from "../session/wait.ts";
import type { WaitOptions } from "../session/wait.ts";
import type { Setup } from "./command.ts";

type Options = WaitOptions & ComposeOptions;

/** `skep deploy`. */
export const deploy: Setup = (command, io) => {
  waitOptions(composeOptions(command));
  examples(command, [
    ["skep deploy -f compose.yaml", "create or update every service of the file, and wait"],
    ["skep deploy -f compose.yaml -f production.yaml", "the second file changes what the first says"],
    ["skep deploy web", "only this service, with what it needs"],
    ["skep deploy --profile debug", "with the services of a profile, which are left out otherwise"],
    ["skep deploy -t acme --timeout 10m", "for another tenant, with more patience"],
    ["TAG=1.28 skep deploy --no-wait", "a variable of the file; do not wait"],
    ["skep deploy -o json | jq .deployments", "what became of each, for a program"],
  ]);
  act(command, io, async (session, options: Options, services: readonly string[]) => {
    const specs = readComposeFiles(io, services, options);
    const applied = await inParallel(specs, async spec => {
      const one = await applySpec(session, spec, options.timeout);
      if (!session.json) io.out(renderApplied(session, one));
      return one;
    });
    const finished = await waitFor(
      session,
      applied.map(({ deployment }) => deployment),
      options,
    );
    if (session.json) io.out(`${JSON.stringify(appliedJson(applied, finished), undefined, 2)}\n`);
  });
};

function renderApplied(session: Session, { deployment, change, differences }: Applied): string {
  const mood = change === "unchanged" ? "faint" : "strong";
  const words = differences.length === 0 ? "" : `  ${renderDiff(differences)}`;
  return `${deployment.id}  ${colour(session.io, mood, change)}${words}\n`;
}

function appliedJson(applied: readonly Applied[], finished: readonly Deployment[]): object {
  const byId = new Map(finished.map(deployment => [deployment.id, deployment]));
  return {
    deployments: applied.map(({ deployment, change, differences }) => ({
      id: deployment.id,
      change,
      changedPaths: differences.map(({ path }) => path),
      deployment: messageJson(DeploymentSchema, byId.get(deployment.id) ?? deployment),
    })),
  };
}
