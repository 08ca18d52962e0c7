import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Deployment } from "@skep/api/gen/skep/v1/deployment_pb.ts";
import { colour } from "./colour.ts";
import { condition } from "./condition.ts";
import { renderTable } from "./table.ts";
import { shortName } from "./view.ts";
import type { View } from "./view.ts";
import { duration } from "./words.ts";

/** Deployments as a table. */
export function renderApps(view: View, deployments: readonly Deployment[]): string {
  const { io } = view;
  const rows = deployments.map(deployment => [
    shortName(view, deployment.id),
    `${(deployment.status?.healthy ?? 0) + (deployment.status?.completed ?? 0)}/${deployment.status?.wanted ?? 0}`,
    colourCondition(view, deployment),
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

function colourCondition({ io }: View, deployment: Deployment): string {
  const word = condition(deployment);
  const mood = { running: "good", stopped: "faint", troubled: "bad" } as const;
  return colour(io, mood[word as keyof typeof mood] ?? "busy", word);
}
