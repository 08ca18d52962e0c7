import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findInPath, withLock } from "./cache.ts";
import type { EngineEnvironment } from "./environment.ts";
import { run } from "./run.ts";

/** A mirror keeps a package that its lists named for at least this long. */
const listsLiveMs = 12 * 3600_000;

/** Whether this machine can take packages from a Debian mirror (Debian itself or a descendant). */
export async function hasApt(environment: EngineEnvironment): Promise<boolean> {
  return (
    (await findInPath("apt-get", environment.searchPath)) !== undefined &&
    (await findInPath("dpkg-deb", environment.searchPath)) !== undefined
  );
}

/**
 * Unpacks Debian packages and what they need into `treeDir`, from the mirrors that this machine's
 * apt is configured for. Nothing is installed: this machine's package database is only read.
 * `statusFile` is a dpkg status that says what is there already (an image's); absent means this
 * machine's own, so that only what it lacks is unpacked. Packages whose name starts with one of
 * `leaveOut` are not unpacked.
 * @throws RunError with apt's words when a package does not exist or a mirror does not answer.
 */
export async function unpackPackages(options: {
  readonly packages: readonly string[];
  readonly treeDir: string;
  readonly environment: EngineEnvironment;
  readonly statusFile?: string;
  readonly leaveOut?: readonly string[];
}): Promise<void> {
  await mkdir(join(options.environment.cacheDir, "engines"), { recursive: true });
  const archiveDir = await mkdtemp(join(options.environment.cacheDir, "engines", "debs-"));
  try {
    await download(options.packages, archiveDir, options.environment, options.statusFile);
    await mkdir(options.treeDir, { recursive: true });
    for (const file of (await readdir(archiveDir)).toSorted()) {
      const leftOut = options.leaveOut?.some(prefix => file.startsWith(prefix)) === true;
      if (file.endsWith(".deb") && !leftOut)
        await run(["dpkg-deb", "--extract", join(archiveDir, file), options.treeDir]);
    }
  } finally {
    await rm(archiveDir, { recursive: true, force: true });
  }
}

async function download(
  packages: readonly string[],
  archiveDir: string,
  environment: EngineEnvironment,
  statusFile?: string,
): Promise<void> {
  const options = await privateApt(environment, statusFile);
  await mkdir(join(archiveDir, "partial"), { recursive: true });
  const wanted = ["--yes", "--no-install-recommends", "--reinstall", "--download-only", "install", ...packages];
  await run(["apt-get", ...options, "-o", `Dir::Cache::archives=${archiveDir}/`, ...wanted]);
}

/**
 * Options that make apt keep its lists in our cache: neither root nor the machine's own (perhaps
 * old) lists are needed.
 */
async function privateApt(environment: EngineEnvironment, statusFile: string | undefined): Promise<string[]> {
  const listsDir = join(environment.cacheDir, "engines", "apt-lists");
  const stamp = join(listsDir, "updated");
  await mkdir(join(listsDir, "partial"), { recursive: true });
  const settings = [
    `Dir::State::lists=${listsDir}/`,
    "Debug::NoLocking=true",
    "APT::Sandbox::User=",
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
  ];
  if (statusFile !== undefined) settings.push(`Dir::State::status=${statusFile}`);
  const options = ["-q", ...settings.flatMap(setting => ["-o", setting])];
  await withLock(
    `${listsDir}.lock`,
    () => undefined,
    async () => {
      const updatedAt = await stat(stamp).then(
        found => found.mtimeMs,
        () => 0,
      );
      if (Date.now() - updatedAt < listsLiveMs) return;
      await run(["apt-get", ...options, "update"]);
      await writeFile(stamp, "");
    },
  );
  return options;
}

/**
 * The packages of the PostgreSQL server that this Debian release carries: `postgresql-15` and its
 * client in Debian 12.
 * @throws Error when the release has none.
 */
export async function postgresPackages(environment: EngineEnvironment): Promise<readonly string[]> {
  const depends = await run(["apt-cache", ...(await privateApt(environment, undefined)), "depends", "postgresql"]);
  const version = /Depends: postgresql-(\d+)/.exec(depends)?.[1];
  if (version === undefined)
    throw new Error(
      "Debian's package postgresql names no version; install PostgreSQL yourself and set SKEP_ENGINE_POSTGRES",
    );
  return [`postgresql-${version}`, `postgresql-client-${version}`];
}

/** The archive that this machine's own packages come from. */
export interface DebianArchive {
  readonly uri: string;
  /** `bookworm` and the like. */
  readonly codename: string;
}

/**
 * The archive this machine's apt is configured for.
 * @throws Error when apt knows no archive with a component `main`.
 */
export async function configuredArchive(environment: EngineEnvironment): Promise<DebianArchive> {
  const options = await privateApt(environment, undefined);
  const format = "$(REPO_URI) $(CODENAME) $(SUITE) $(COMPONENT) $(ORIGIN)";
  const targets = await run(["apt-get", ...options, "indextargets", "--format", format, "Created-By: Packages"]);
  for (const line of targets.split("\n")) {
    const [uri, codename, suite, component, origin] = line.split(" ");
    const isBase = codename !== undefined && !/-/.test(codename) && !/-(updates|security|backports)/.test(suite ?? "");
    if (uri !== undefined && isBase && component === "main" && (origin === "Debian" || origin === "Ubuntu"))
      return { uri, codename };
  }
  throw new Error(
    "apt on this machine has no archive of Debian with a component main; check /etc/apt/sources.list and /etc/apt/sources.list.d",
  );
}

/**
 * Makes a minimal Debian root in `rootDir`, with documentation, locales and apt's caches removed.
 * Needs root. debootstrap itself is unpacked into `scratchDir` when this machine has none.
 * @throws RunError with debootstrap's words.
 */
export async function bootstrapRoot(
  rootDir: string,
  scratchDir: string,
  environment: EngineEnvironment,
): Promise<void> {
  const archive = await configuredArchive(environment);
  const unpackedDir = join(scratchDir, "debootstrap");
  let program = await findInPath("debootstrap", [...environment.searchPath, "/usr/sbin"]);
  let env: Record<string, string> = {};
  if (program === undefined) {
    await unpackPackages({ packages: ["debootstrap"], treeDir: unpackedDir, environment });
    program = join(unpackedDir, "usr/sbin/debootstrap");
    env = { DEBOOTSTRAP_DIR: join(unpackedDir, "usr/share/debootstrap") };
  }
  await run(["nice", "-n", "10", program, "--variant=minbase", archive.codename, rootDir, archive.uri], { env });
  await trim(rootDir);
}

/** What a container never reads; `copyright` files stay, as the licences ask. */
async function trim(rootDir: string): Promise<void> {
  for (const path of [
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/lintian",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/log",
    "var/cache/debconf",
  ]) {
    await rm(join(rootDir, path), { recursive: true, force: true });
    await mkdir(join(rootDir, path), { recursive: true });
  }
  await run(["find", join(rootDir, "usr/share/doc"), "-type", "f", "!", "-name", "copyright", "-delete"]);
  // No mirror of this machine is named inside an image.
  await writeFile(join(rootDir, "etc/apt/sources.list"), "");
  await writeFile(join(rootDir, "etc/resolv.conf"), "");
  await writeFile(join(rootDir, "etc/hostname"), "");
}
