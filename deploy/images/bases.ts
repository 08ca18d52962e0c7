import { chmod, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cached, exists } from "../programs/cache.ts";
import { bootstrapRoot, postgresPackages, unpackPackages } from "../programs/debian.ts";
import type { EngineEnvironment } from "../programs/environment.ts";
import { withProgress, type Progress } from "../programs/progress.ts";
import { run } from "../programs/run.ts";

/** Something that images are made of, complete in the cache. `id` is the hash of its content. */
export interface Material {
  readonly dir: string;
  readonly id: string;
}

/**
 * What packages ask for and a server in a container never loads: the just-in-time compiler, Perl
 * for scripts, locales beside C.UTF-8.
 */
const unusedInImages = ["libllvm", "libz3", "perl", "libperl", "locales"];

/** Grows when a maker below makes something else of the same packages. */
const revision = 2;

/** Where {@link debianRoot} is kept; it exists only when it is complete. */
export function debianRootDir(environment: EngineEnvironment): string {
  return materialDir("debian-root", environment);
}

/**
 * A minimal Debian root as `root.tar`; made once (22 s to 40 s), because debootstrap installs every
 * package by itself.
 */
export function debianRoot(environment: EngineEnvironment, say: Progress): Promise<Material> {
  return material(
    "debian-root",
    environment,
    async scratchDir => {
      await withProgress("making a Debian root with debootstrap (once; about 30 s)", say, async () => {
        const rootDir = join(scratchDir, "root");
        await bootstrapRoot(rootDir, scratchDir, environment);
        await run([
          "tar",
          "--create",
          "--numeric-owner",
          "--one-file-system",
          "--directory",
          rootDir,
          "--file",
          join(scratchDir, "out", "root.tar"),
          ".",
        ]);
        await run(["rm", "-rf", "--one-file-system", rootDir]);
      });
    },
    say,
  );
}

/**
 * A root with nothing but Debian's static busybox, a few megabytes, as `root.tar`: what static
 * programs stand on.
 */
export function busyboxRoot(environment: EngineEnvironment, say: Progress): Promise<Material> {
  return material(
    "busybox-root",
    environment,
    async scratchDir => {
      const treeDir = join(scratchDir, "tree");
      const rootDir = join(scratchDir, "root");
      await unpackPackages({ packages: ["busybox-static"], treeDir, environment, leaveOut: ["libc"] });
      for (const path of ["bin", "etc", "root", "tmp", "usr/bin", "usr/local/bin", "var/run"])
        await mkdir(join(rootDir, path), { recursive: true });
      const busybox = join(rootDir, "bin", "busybox");
      await rename(
        join(treeDir, (await exists(join(treeDir, "bin/busybox"))) ? "bin/busybox" : "usr/bin/busybox"),
        busybox,
      );
      for (const applet of (await run([busybox, "--list"])).trim().split("\n")) {
        if (applet !== "busybox") await symlink("busybox", join(rootDir, "bin", applet));
      }
      await writeFile(
        join(rootDir, "etc/passwd"),
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
      );
      await writeFile(join(rootDir, "etc/group"), "root:x:0:\nnogroup:x:65534:\n");
      await chmod(join(rootDir, "tmp"), 0o1777);
      await run([
        "tar",
        "--create",
        "--owner=0",
        "--group=0",
        "--directory",
        rootDir,
        "--file",
        join(scratchDir, "out", "root.tar"),
        ".",
      ]);
    },
    say,
  );
}

/** PostgreSQL as a `tree` that is laid over the Debian root. */
export function postgresTree(environment: EngineEnvironment, say: Progress): Promise<Material> {
  return material(
    "postgres-tree",
    environment,
    async scratchDir => {
      await overlayTree("PostgreSQL", await postgresPackages(environment), scratchDir, environment, say);
      await run([
        "find",
        join(scratchDir, "out/tree/usr/lib/postgresql"),
        "(",
        "-name",
        "llvmjit*",
        "-o",
        "-name",
        "bitcode",
        ")",
        "-prune",
        "-exec",
        "rm",
        "-rf",
        "{}",
        "+",
      ]);
    },
    say,
  );
}

/** Debian packages as a `tree` that is laid over the Debian root; `name` is that in the cache. */
export function packageTree(
  name: string,
  packages: readonly string[],
  environment: EngineEnvironment,
  say: Progress,
): Promise<Material> {
  return material(
    `${name}-tree`,
    environment,
    scratchDir => overlayTree(name, packages, scratchDir, environment, say),
    say,
  );
}

/** Unpacks what the packages need beyond the Debian root, and nothing that the root has already. */
async function overlayTree(
  title: string,
  packages: readonly string[],
  scratchDir: string,
  environment: EngineEnvironment,
  say: Progress,
): Promise<void> {
  const root = await debianRoot(environment, say);
  await withProgress(`unpacking ${title} from Debian (once)`, say, async () => {
    const treeDir = join(scratchDir, "out", "tree");
    await run([
      "tar",
      "--extract",
      "--file",
      join(root.dir, "root.tar"),
      "--directory",
      scratchDir,
      "./var/lib/dpkg/status",
    ]);
    const statusFile = join(scratchDir, "var/lib/dpkg/status");
    await unpackPackages({ packages, treeDir, environment, statusFile, leaveOut: unusedInImages });
    await mergeUsr(treeDir);
    for (const path of ["usr/share/man", "usr/share/locale", "usr/share/postgresql-common", "usr/share/lintian"])
      await rm(join(treeDir, path), { recursive: true, force: true });
  });
}

/**
 * Packages may still carry `/lib`, which in the root is a link to `/usr/lib`: a copied directory
 * would replace the link.
 */
async function mergeUsr(treeDir: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const from = join(treeDir, name);
    if (!(await exists(from))) continue;
    await mkdir(join(treeDir, "usr", name), { recursive: true });
    await run(["cp", "-a", `${from}/.`, join(treeDir, "usr", name)]);
    await rm(from, { recursive: true });
  }
}

/**
 * Makes `images/<name>` in the cache: `make` fills `out` in its scratch directory; the id is the
 * hash of what was made.
 */
async function material(
  name: string,
  environment: EngineEnvironment,
  make: (scratchDir: string) => Promise<void>,
  say: Progress,
): Promise<Material> {
  const dir = await cached(materialDir(name, environment), say, async scratchDir => {
    const outDir = join(scratchDir, "out");
    await mkdir(outDir);
    await make(scratchDir);
    const digest = 'tar --create --sort=name --mtime=@0 --owner=0 --group=0 --directory "$0" . | sha256sum';
    await writeFile(join(outDir, "id"), (await run(["sh", "-c", digest, outDir])).slice(0, 64));
    return outDir;
  });
  return { dir, id: await readFile(join(dir, "id"), "utf8") };
}

function materialDir(name: string, environment: EngineEnvironment): string {
  return join(environment.cacheDir, "images", `${name}-r${revision}-${process.arch}`);
}
