import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DeploymentSchema } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { colour } from "../output/colour.ts";
import { condition } from "../output/condition.ts";
import { listJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { duration } from "../output/words.ts";
import { shortName } from "../output/view.ts";
import { act, examples } from "../session/act.ts";
import type { Session } from "../session/open.ts";
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

function renderApps(session: Session, deployments: readonly Deployment[]): string {
  const { io } = session;
  const rows = deployments.map(deployment => [
    shortName(session, deployment.id),
    `${(deployment.status?.healthy ?? 0) + (deployment.status?.completed ?? 0)}/${deployment.status?.wanted ?? 0}`,
    colourCondition(session, deployment),
    String(deployment.release),
    deployment.createdAt === undefined ? "" : duration(io.now() - timestampMs(deployment.createdAt)),
    (deployment.spec?.containers ?? []).map(container => container.image).join(" + "),
    deployment.domains.join(" "),
  ]);
  return renderTable(
    [
      { heading: "NAME" },
      { heading: "HEALTHY", align: "right" },
      { heading: "STATE" },
      { heading: "RELEASE", align: "right" },
      { heading: "AGE", align: "right" },
      { heading: "IMAGES" },
      { heading: "DOMAINS" },
    ],
    rows,
    io.isTty ? io.width : undefined,
  );
}

function colourCondition({ io }: Session, deployment: Deployment): string {
  const word = condition(deployment);
  const mood = { running: "good", stopped: "faint", troubled: "bad" } as const;
  return colour(io, mood[word as keyof typeof mood] ?? "busy", word);
}
