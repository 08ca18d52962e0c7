import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, findInPath } from "./cache.ts";
import { hasApt, unpackPackages } from "./debian.ts";
import type { EngineEnvironment } from "./environment.ts";
import { withProgress, type Progress } from "./progress.ts";
import { debianRecipes, type DebianProgram } from "./recipes.ts";
import { libraryWrapper } from "./wrapper.ts";

/**
 * A program of Debian: installed on this machine, else unpacked into the cache and not installed,
 * so that no service is started. Debian keeps servers where only root looks.
 * @throws Error when the machine has neither the program nor apt.
 */
export async function debianProgram(
  name: DebianProgram,
  environment: EngineEnvironment,
  say: Progress,
): Promise<{ readonly path: string; readonly how: string }> {
  const installed = await findInPath(name, [...environment.searchPath, "/usr/sbin", "/usr/local/sbin"]);
  if (installed !== undefined) return { path: installed, how: "installed on this machine" };
  if (!(await hasApt(environment))) {
    const variable = `SKEP_ENGINE_${name.toUpperCase().replaceAll("-", "_")}`;
    throw new Error(`${name} is not on PATH, and there is no apt to take it from; install it or set ${variable}`);
  }
  const home = join(environment.cacheDir, "engines", `${name}-debian-${process.arch}`);
  await cached(home, say, scratchDir =>
    withProgress(`unpacking ${name} from Debian (once)`, say, async () => {
      const treeDir = join(scratchDir, "tree");
      const { packages, path } = debianRecipes[name];
      await unpackPackages({ packages, treeDir, environment });
      await writeFile(join(treeDir, name), libraryWrapper(path, "."), { mode: 0o755 });
      await chmod(treeDir, 0o755);
      return treeDir;
    }),
  );
  return { path: join(home, name), how: "unpacked from Debian's packages" };
}
