import type { Placement } from "@skep/api/gen/skep/v1/deployment_service_pb.ts";
import { colour } from "./colour.ts";
import { renderTable } from "./table.ts";
import { shortName } from "./view.ts";
import type { View } from "./view.ts";

/** One instance's placement: where and why, or why not and what would help; then node by node. */
export function renderPlacement(view: View, placement: Placement): string {
  const { io } = view;
  const who = placement.instanceId === "" ? `copy ${placement.slot + 1}` : shortName(view, placement.instanceId);
  const lines: string[] = [];
  const { hostname, because, refusal } = placement;
  if (hostname !== "") {
    const tone = refusal === undefined ? "good" : "busy";
    lines.push(`${colour(io, tone, who)}: node ${hostname}${because === "" ? "" : `, ${because}`}`);
    for (const removal of refusal?.removed ?? []) lines.push(`  ${removal.sentence}`);
    if (refusal !== undefined && refusal.advice !== "") lines.push(`  But ${refusal.advice}`);
  } else if (refusal === undefined) lines.push(`${colour(io, "busy", who)}: ${because || "no node yet"}`);
  else {
    lines.push(`${colour(io, "bad", who)}: no node fits`);
    for (const removal of refusal.removed) lines.push(`  ${removal.sentence}`);
    if (refusal.advice !== "") lines.push(`  What would help: ${refusal.advice}`);
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
