import { basename } from "node:path/posix";
import { isScalar } from "yaml";
import type { Parsed } from "./tree.ts";
import { interpolate } from "./interpolate.ts";

/**
 * What `${COMPOSE_PROJECT_NAME}` stands for: the `name` of the last file that has one, else the
 * folder's.
 */
export function projectName(files: readonly Parsed[], folder: string): string {
  let name = basename(folder);
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
