import { cached } from "@skep/deploy/programs/cache.ts";
import { readEnvironment } from "@skep/deploy/programs/environment.ts";
import { stderrProgress, withProgress } from "@skep/deploy/programs/progress.ts";
import { run } from "@skep/deploy/programs/run.ts";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

/** Of PyPI, without what they would draw in beyond it. */
const PACKAGES = ["paho-mqtt==2.1.0", "pymongo==4.15.3", "dnspython==2.7.0"];

/**
 * Where the packages of the reference gateway are, fetched once per user.
 * @throws RunError where there is no python3 with pip.
 */
export function referencePackages(): Promise<string> {
  const path = join(readEnvironment().cacheDir, "load", "mongogw-1");
  return cached(path, stderrProgress, async scratchDir => {
    const site = join(scratchDir, "site");
    await mkdir(site);
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    await withProgress("fetching paho-mqtt and pymongo from PyPI (once; 3 MB)", stderrProgress, () =>
      run(["python3", "-m", "pip", "install", ...quiet, "--target", site, ...PACKAGES], { timeoutMs: 300_000 }),
    );
    return site;
  });
}
