import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** `file: ./x` of a stack file's configs. */
const NAMED = /^\s*file:\s*\.\/(\S+)\s*$/gm;

/**
 * Hash of all config files that the stack files name. Swarm's configs never change, so other
 * content needs other names. As the docker client does, it finds them beside the first stack file.
 */
export async function configVersion(stackFiles: readonly [string, ...string[]]): Promise<string> {
  const directory = dirname(stackFiles[0]);
  const named = new Set<string>();
  for (const file of stackFiles)
    for (const [, name = ""] of (await readFile(file, "utf8")).matchAll(NAMED)) named.add(name);
  const hash = createHash("sha256");
  for (const name of [...named].toSorted()) hash.update(name).update(await readFile(join(directory, name)));
  return hash.digest("hex").slice(0, 12);
}
