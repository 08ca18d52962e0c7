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
