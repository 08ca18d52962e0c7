import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineEnvironment } from "../programs/environment.ts";
import type { Progress } from "../programs/progress.ts";
import { debianRecipes, staticRecipes, type StaticProgram } from "../programs/recipes.ts";
import { bringProgram } from "../programs/static-program.ts";
import { busyboxRoot, debianRoot, packageTree, postgresTree, type Material } from "./bases.ts";
import { buildImage, type Docker } from "./docker.ts";
import { engineHas } from "./engine-api.ts";
import { officialImages } from "./names.ts";

/** Where images are made: an engine, and this machine's cache. */
export interface Workshop {
  readonly docker: Docker;
  readonly socket: string;
  readonly environment: EngineEnvironment;
  readonly say: Progress;
}

/**
 * An image that can be made here: the hash of everything it is made of, and how to make it under a
 * name.
 */
export interface Makeable {
  readonly hash: string;
  make(reference: string): Promise<void>;
}

/** An image of others that this machine can make itself. */
export type ThirdPartyName = keyof typeof officialImages;

/** Sixteen hexadecimal digits of what the parts hold, in their order. */
export function hashOf(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 16);
}

/** The path of a file in `deploy/images`. */
export function imageFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** Makes one of the images that others publish, from Debian's packages, PyPI wheels and Go. */
export function thirdPartyImage(name: ThirdPartyName, workshop: Workshop): Promise<Makeable> {
  switch (name) {
    case "nats":
      return staticProgram("nats-server", "local/nats.Dockerfile", workshop);
    case "traefik":
    case "go-httpbin":
      return staticProgram(name, `local/${name}.Dockerfile`, workshop);
    case "postgres":
      return overDebian("local/postgres.Dockerfile", postgresTree, ["postgres-entrypoint.sh"], workshop);
    case "nginx":
      return overDebian(
        "local/nginx.Dockerfile",
        treeOf("nginx", ["nginx-light"]),
        ["nginx.conf", "nginx-default.conf"],
        workshop,
      );
    case "busybox":
      return busyboxImage(workshop);
    case "mosquitto":
      return overDebian("local/mosquitto.Dockerfile", treeOf(name, debianRecipes[name].packages), [], workshop);
    case "redis":
      return overDebian("local/redis.Dockerfile", treeOf(name, debianRecipes["redis-server"].packages), [], workshop);
    case "versitygw":
      return staticProgram("versitygw", "local/versitygw.Dockerfile", workshop);
    case "mongo":
      return mongoImage(workshop);
  }
}

function treeOf(name: string, packages: readonly string[]): typeof postgresTree {
  return (environment, say) => packageTree(name, packages, environment, say);
}

/** The program is no static one: it needs some libraries of Debian. */
async function mongoImage(workshop: Workshop): Promise<Makeable> {
  const tree = treeOf("mongo", ["libcurl4", "libssl3", "liblzma5"]);
  const recipe = JSON.stringify(staticRecipes.mongod);
  const { environment, say } = workshop;
  const bring = async () => ({ mongod: (await bringProgram("mongod", environment, say)).path });
  return overDebian("local/mongo.Dockerfile", tree, [], workshop, { recipe, bring });
}

/**
 * A Node 24 image: the Debian root, the user `node`, and the binary that the npm platform package
 * brought.
 */
export async function nodeImage(workshop: Workshop): Promise<Makeable> {
  const debian = await debianImage(workshop);
  const dockerfile = imageFile("local/node.Dockerfile");
  const packageName = `node-${process.platform}-${process.arch}`;
  const manifest = createRequire(import.meta.url).resolve(`${packageName}/package.json`);
  const { version } = JSON.parse(await readFile(manifest, "utf8")) as { version: string };
  return {
    hash: hashOf(debian.hash, await readFile(dockerfile), packageName, version),
    make: async reference => {
      const base = await onEngine("debian", debian, workshop);
      const files = { node: join(dirname(manifest), "bin", "node") };
      await buildImage(workshop.docker, scratchDir(workshop), {
        reference,
        dockerfile,
        args: { DEBIAN_IMAGE: base },
        files,
      });
    },
  };
}

/**
 * Makes an image under a name of this engine only, unless the engine has it already, and returns
 * that name.
 */
export async function onEngine(name: string, image: Makeable, workshop: Workshop): Promise<string> {
  const reference = `skep-local/${name}:${image.hash}`;
  if (!(await engineHas(workshop.socket, reference))) await image.make(reference);
  return reference;
}

/** Where build contexts are put together: beside what they are linked from. */
export function scratchDir(workshop: Workshop): string {
  return join(workshop.environment.cacheDir, "images");
}

async function debianImage({ docker, environment, say }: Workshop): Promise<Makeable> {
  const root = await debianRoot(environment, say);
  return importedRoot(root, docker, ['CMD ["/bin/bash"]']);
}

async function busyboxImage({ docker, environment, say }: Workshop): Promise<Makeable> {
  const root = await busyboxRoot(environment, say);
  return importedRoot(root, docker, ["ENV PATH=/usr/local/bin:/usr/bin:/bin", 'CMD ["/bin/sh"]']);
}

function importedRoot(root: Material, docker: Docker, changes: readonly string[]): Makeable {
  return {
    hash: hashOf(root.id, ...changes),
    make: async reference => {
      await docker([
        "import",
        ...changes.flatMap(change => ["--change", change]),
        join(root.dir, "root.tar"),
        reference,
      ]);
    },
  };
}

async function staticProgram(program: StaticProgram, file: string, workshop: Workshop): Promise<Makeable> {
  const busybox = await busyboxImage(workshop);
  const dockerfile = imageFile(file);
  return {
    hash: hashOf(busybox.hash, await readFile(dockerfile), JSON.stringify(staticRecipes[program])),
    make: async reference => {
      // Always the static program of the recipe: one of this machine may need libraries that the
      // image lacks.
      const { path } = await bringProgram(program, workshop.environment, workshop.say);
      const base = await onEngine("busybox", busybox, workshop);
      await buildImage(workshop.docker, scratchDir(workshop), {
        reference,
        dockerfile,
        args: { BUSYBOX_IMAGE: base },
        files: { [program]: path },
      });
    },
  };
}

async function overDebian(
  file: string,
  makeTree: typeof postgresTree,
  extras: readonly string[],
  workshop: Workshop,
  program?: { readonly recipe: string; readonly bring: () => Promise<Readonly<Record<string, string>>> },
): Promise<Makeable> {
  const debian = await debianImage(workshop);
  const tree = await makeTree(workshop.environment, workshop.say);
  const dockerfile = imageFile(file);
  const extraFiles = extras.map(name => [name, imageFile(`local/${name}`)] as const);
  const contents = await Promise.all([dockerfile, ...extraFiles.map(([, path]) => path)].map(path => readFile(path)));
  return {
    hash: hashOf(debian.hash, tree.id, ...contents, ...(program === undefined ? [] : [program.recipe])),
    make: async reference => {
      const base = await onEngine("debian", debian, workshop);
      const brought = await program?.bring();
      const files = { tree: join(tree.dir, "tree"), ...Object.fromEntries(extraFiles), ...brought };
      await buildImage(workshop.docker, scratchDir(workshop), {
        reference,
        dockerfile,
        args: { DEBIAN_IMAGE: base },
        files,
      });
    },
  };
}
