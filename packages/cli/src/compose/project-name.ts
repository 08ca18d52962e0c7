import { isName } from "@skep/core/model/validate-rules.ts";
import { isScalar } from "yaml";
import { interpolate } from "./interpolate.ts";
import type { Place, Problems } from "./problems.ts";
import type { Parsed } from "./tree.ts";
import { below } from "./spots.ts";
import type { MapSpot } from "./spots.ts";

/**
 * What `${COMPOSE_PROJECT_NAME}` stands for where nothing sets it: the `name` of the last file that
 * has one, else the folder's.
 */
export function composeProjectName(files: readonly Parsed[], folderName: string): string {
  let name = folderName;
  for (const { documents, source } of files)
    for (const document of documents) {
      const node = document.get("name", true);
      const written = isScalar(node) ? interpolate(String(node.value), source.variables) : undefined;
      if (written?.ok === true && written.text !== "") name = written.text;
    }
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}

/**
 * The project of the files, as deployments' names begin with it: Compose's name, with `_` and
 * capitals written as host names have them. `given` is what the command line or the environment
 * says, which stands above the files.
 */
export function projectOf(root: MapSpot, given: string | undefined, found: string, problems: Problems): string {
  const spot = below(root, "name");
  const written = given ?? (spot?.kind === "scalar" && typeof spot.value === "string" ? spot.value : undefined);
  const place: Place = given === undefined && spot !== undefined ? spot : root;
  const name = (written ?? found)
    .toLowerCase()
    .replaceAll("_", "-")
    .replace(/^-+|-+$/g, "");
  if (!isName(name) || (written !== undefined && !/^[a-z0-9][a-z0-9_-]*$/i.test(written)))
    problems.refuse(
      place,
      written === undefined
        ? "the folder's name cannot name the project"
        : `\`${written.slice(0, 60)}\` cannot name a project`,
      "Set `name:` at the top of the file: letters, digits, dashes and underscores, a letter or digit first",
    );
  else if (written !== undefined && written !== name)
    problems.note(place, `the project is called \`${name}\``, "Names of its deployments begin with that");
  return name;
}
