import { chmod, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cached, exists, findInPath } from "./cache.ts";
import { hasApt, postgresPackages, unpackPackages } from "./debian.ts";
import type { EngineEnvironment } from "./environment.ts";
import { withProgress, type Progress } from "./progress.ts";
import { libraryWrapper } from "./wrapper.ts";

const programs = ["initdb", "postgres", "pg_ctl"] as const;

/**
 * The directory with PostgreSQL's server programs that this machine has: on PATH, or where Debian
 * keeps them (newest version first).
 */
export async function installedPostgres(environment: EngineEnvironment): Promise<string | undefined> {
  const debianHome = "/usr/lib/postgresql";
  const versions = (await readdir(debianHome).catch(() => [])).toSorted((a, b) => Number(b) - Number(a));
  for (const directory of [...environment.searchPath, ...versions.map(version => join(debianHome, version, "bin"))]) {
    if (await isPostgresDirectory(directory)) return directory;
  }
  return undefined;
}

/** Whether `directory` has all the server programs. */
export async function isPostgresDirectory(directory: string): Promise<boolean> {
  for (const program of programs) if ((await findInPath(program, [directory])) === undefined) return false;
  return true;
}

/**
 * PostgreSQL from Debian's packages, unpacked into the cache and not installed: no service is
 * started, no user is made. Returns `undefined` when this machine has no apt.
 */
export async function unpackedPostgres(environment: EngineEnvironment, say: Progress): Promise<string | undefined> {
  if (!(await hasApt(environment))) return undefined;
  const home = join(await readableCache(environment), "engines", `postgres-debian-${process.arch}`);
  await cached(home, say, scratchDir =>
    withProgress("unpacking PostgreSQL from Debian (once)", say, async () => {
      const treeDir = join(scratchDir, "tree");
      await unpackPackages({
        packages: await postgresPackages(environment),
        treeDir,
        environment,
        leaveOut: ["libllvm"],
      });
      await writeWrappers(treeDir);
      await chmod(treeDir, 0o755);
      return treeDir;
    }),
  );
  return join(home, "bin");
}

/**
 * The server refuses to run as root, and the user it runs as cannot look into root's home: then the
 * cache is the system's.
 */
async function readableCache(environment: EngineEnvironment): Promise<string> {
  if (process.getuid?.() !== 0) return environment.cacheDir;
  for (let path = environment.cacheDir; path !== dirname(path); path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o001) === 0) return "/var/cache/skep";
  }
  return environment.cacheDir;
}

/**
 * `bin/initdb` and so on: each runs the real program with the libraries that were unpacked beside
 * it.
 */
async function writeWrappers(treeDir: string): Promise<void> {
  const versions = await readdir(join(treeDir, "usr/lib/postgresql"));
  const version = versions.toSorted((a, b) => Number(b) - Number(a))[0];
  if (version === undefined)
    throw new Error(
      "Debian's postgresql brought no /usr/lib/postgresql; unpack another version or install it yourself",
    );
  const realDir = `usr/lib/postgresql/${version}/bin`;
  await mkdir(join(treeDir, "bin"), { recursive: true });
  for (const program of await readdir(join(treeDir, realDir))) {
    const path = join(treeDir, "bin", program);
    if (await exists(path)) continue;
    await writeFile(path, libraryWrapper(`${realDir}/${program}`, ".."), { mode: 0o755 });
  }
}
