import { ProjectChange } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import type { Difference, ProjectDeployment } from "@skep/api/gen/skep/v1/project_service_pb.ts";
import { colour } from "./colour.ts";
import { enumWord } from "./enum-word.ts";
import type { View } from "./view.ts";

/** What became of one deployment, or would; empty for none that is said nothing of. */
export function renderApplied({ io }: View, one: ProjectDeployment, isDryRun: boolean): string {
  const { change, differences, deployment } = one;
  const id = deployment?.id ?? "";
  if (change === ProjectChange.LEFT)
    return `${id}  ${colour(io, "busy", "stays")}  the files do not name it any more; \`--prune\` removes it\n`;
  const isSame = change === ProjectChange.UNCHANGED;
  const word = enumWord(ProjectChange, change);
  const words = isDryRun && !isSame ? `would be ${word}` : word;
  const details = differences.length === 0 ? "" : `  ${renderDiff(differences, isDryRun ? Infinity : 4)}`;
  return `${id}  ${colour(io, isSame ? "faint" : "strong", words)}${details}\n`;
}

/**
 * `image nginx:1.26 → nginx:1.27, replicas 1 → 3`; values of the environment are not shown, for
 * they may be secrets.
 */
function renderDiff(differences: readonly Difference[], most: number): string {
  const shown = differences.slice(0, most).map(({ path, before, after }) => {
    const name = path.replace(/^containers\.[^.]+\./, "");
    if (name.startsWith("env."))
      return `${name} ${before === undefined ? "added" : after === undefined ? "removed" : "changed"}`;
    return `${name} ${before ?? "(none)"} → ${after ?? "(none)"}`;
  });
  const more = differences.length - shown.length;
  return shown.join(", ") + (more > 0 ? `, and ${more} more` : "");
}
