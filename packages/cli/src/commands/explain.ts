import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ExplainPlacementResponseSchema } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import type { Placement } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { colour } from "../output/colour.ts";
import { messageJson, print } from "../output/print.ts";
import { renderTable } from "../output/table.ts";
import { moment } from "../output/words.ts";
import { act, examples } from "../session/act.ts";
import { deploymentId, instanceId, shortName } from "../session/names.ts";
import type { Session } from "../session/open.ts";
import type { Setup } from "./index.ts";

/** `skep explain`. */
export const explain: Setup = (command, io) => {
  examples(command.argument("<name>", "a deployment, or one of its instances (web.7)"), [
    ["skep explain web", "which filter removed which node, and what would help"],
    ["skep explain web.7", "for one instance"],
  ]);
  act(command, io, async (session, _options: object, name: string) => {
    const instance = instanceId(session, name);
    const subject = instance === undefined ? { deploymentId: deploymentId(session, name) } : { instanceId: instance };
    const found = await session.api.deployments.explainPlacement(subject);
    const { unrecovered } = await session.api.platform.getStatus({});
    print(
      session,
      () => messageJson(ExplainPlacementResponseSchema, found),
      () => {
        const placements = found.placements.map(placement => renderPlacement(session, placement)).join("\n");
        const decisions = found.decisions
          .slice(0, 10)
          .map(event => `  ${event.at === undefined ? "" : moment(timestampMs(event.at))}  ${event.sentence}\n`)
          .join("");
        const nothing = "No instance is wanted, so nothing has to be placed.\n";
        const warning = unrecovered === "" ? "" : `${unrecovered}\n\n`;
        return (
          warning +
          (placements === "" ? nothing : placements) +
          (decisions === "" ? "" : `\nDecided lately:\n${decisions}`)
        );
      },
    );
  });
};

/** One instance's placement: where and why, or why not and what would help; then node by node. */
export function renderPlacement(session: Session, placement: Placement): string {
  const { io } = session;
  const who = placement.instanceId === "" ? `copy ${placement.slot + 1}` : shortName(session, placement.instanceId);
  const lines: string[] = [];
  if (placement.hostname !== "")
    lines.push(
      `${colour(io, "good", who)}: node ${placement.hostname}${placement.because === "" ? "" : `, ${placement.because}`}`,
    );
  else if (placement.refusal === undefined)
    lines.push(`${colour(io, "busy", who)}: ${placement.because || "no node yet"}`);
  else {
    lines.push(`${colour(io, "bad", who)}: no node fits`);
    for (const removal of placement.refusal.removed) lines.push(`  ${removal.sentence}`);
    if (placement.refusal.advice !== "") lines.push(`  What would help: ${placement.refusal.advice}`);
  }
  const rows = placement.nodes
    .toSorted((a, b) => (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER))
    .map(node => [
      `  ${node.hostname}`,
      node.rank === undefined ? "-" : String(node.rank),
      node.filter || "fits",
      node.because,
    ]);
  const table =
    rows.length === 0
      ? ""
      : renderTable(
          [{ heading: "  NODE" }, { heading: "RANK", align: "right" }, { heading: "FILTER" }, { heading: "BECAUSE" }],
          rows,
          io.isTty ? io.width : undefined,
        );
  return `${lines.join("\n")}\n${table}`;
}
