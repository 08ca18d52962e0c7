import { cp, link, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../programs/run.ts";

/**
 * Runs the docker client against one engine and returns what it printed; `input` goes to its stdin.
 * Rejects when it fails.
 */
export type Docker = (argv: readonly string[], options?: { readonly input?: Buffer | string }) => Promise<string>;

/** What an image is built from. */
export interface ImageBuild {
  /** Name and tag that the engine gives the result. */
  readonly reference: string;
  /** Path of the Dockerfile. */
  readonly dockerfile: string;
  /** Stage of the Dockerfile; the last one when absent. */
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
  /**
   * What stands in the context: a name, and the file or directory it is linked from, or its
   * content.
   */
  readonly files: Readonly<Record<string, string | Buffer>>;
}

/**
 * Builds an image with an ordinary Dockerfile; the classic builder is enough, BuildKit does as
 * well, and nothing is fetched. The context is a directory of hard links in `scratchDir`, removed
 * at the end.
 * @throws what `docker` rejects with.
 */
export async function buildImage(docker: Docker, scratchDir: string, build: ImageBuild): Promise<void> {
  await mkdir(scratchDir, { recursive: true });
  const contextDir = await mkdtemp(join(scratchDir, "context-"));
  try {
    for (const [name, source] of Object.entries(build.files)) {
      if (typeof source === "string") await linkInto(source, join(contextDir, name));
      else await writeFile(join(contextDir, name), source);
    }
    const args = Object.entries(build.args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    const target = build.target === undefined ? [] : ["--target", build.target];
    await docker([
      "build",
      "--quiet",
      "--network",
      "none",
      "--tag",
      build.reference,
      "--file",
      build.dockerfile,
      ...target,
      ...args,
      contextDir,
    ]);
  } finally {
    await rm(contextDir, { recursive: true, force: true });
  }
}

/**
 * Hard links cost no time and no space; another file system, or a link count at its limit, gets
 * copies.
 */
async function linkInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  if ((await stat(from)).isDirectory())
    await run(["cp", "-a", "--link", from, to]).catch(() => run(["cp", "-a", from, to]));
  else await link(from, to).catch(() => cp(from, to));
}
