import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cached, exists, findInPath } from "./cache.ts";
import type { EngineEnvironment } from "./environment.ts";
import { withProgress, type Progress } from "./progress.ts";
import { run } from "./run.ts";

/** Official images with a static program in them, and where it is. */
const images = {
  "nats-server": { reference: "nats:2.12-alpine", path: "/usr/local/bin/nats-server" },
  traefik: { reference: "traefik:v3.7", path: "/usr/local/bin/traefik" },
  "go-httpbin": { reference: "mccutchen/go-httpbin:2.18.3", path: "/bin/go-httpbin" },
} as const;

/** A program that {@link programFromImage} has an image for. */
type ImageProgram = keyof typeof images;

/** Whether {@link programFromImage} has an image for it. */
export function hasImage(name: string): name is ImageProgram {
  return Object.hasOwn(images, name);
}

/** Where {@link programFromImage} keeps a program; it exists only after that function succeeded. */
export function imageProgramPath(name: ImageProgram, environment: EngineEnvironment): string {
  return join(environment.cacheDir, "engines", `${images[name].reference.replaceAll(/[/:]/g, "-")}-image`, name);
}

/**
 * Copies a program out of its official image, when the Docker engine of this machine has that image
 * or can pull it. Returns `undefined` when there is no engine, no registry, or the program does not
 * run outside its image.
 */
export async function programFromImage(
  name: ImageProgram,
  environment: EngineEnvironment,
  say: Progress,
): Promise<string | undefined> {
  const path = imageProgramPath(name, environment);
  if (await exists(path)) return path;
  const docker = await findInPath("docker", environment.searchPath);
  if (docker === undefined || !(await succeeds([docker, "version"]))) return undefined;
  const { reference, path: inside } = images[name];
  const isThere = (await succeeds([docker, "image", "inspect", reference])) || (await pulls(docker, reference, say));
  if (!isThere) return undefined;
  return cached(path, say, scratchDir => copyOut(docker, reference, inside, join(scratchDir, name))).catch(
    () => undefined,
  );
}

async function succeeds(argv: readonly [string, ...string[]]): Promise<boolean> {
  return run(argv, { timeoutMs: 5_000 }).then(
    () => true,
    () => false,
  );
}

function pulls(docker: string, reference: string, say: Progress): Promise<boolean> {
  return withProgress(`pulling ${reference}`, say, () =>
    run([docker, "pull", "--quiet", reference], { timeoutMs: 60_000 }),
  ).then(
    () => true,
    () => false,
  );
}

async function copyOut(docker: string, reference: string, inside: string, path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const container = (await run([docker, "create", reference])).trim();
  try {
    await run([docker, "cp", "--follow-link", `${container}:${inside}`, path]);
  } finally {
    await run([docker, "rm", "--force", container]);
  }
  await run([path, "--help"], { timeoutMs: 5_000 }).catch(() => run([path, "version"], { timeoutMs: 5_000 }));
  return path;
}
