import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Progress } from "./progress.ts";

/** Whether something is at `path`. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * A path that is either absent or complete. When it is absent, `make` fills a fresh directory
 * beside it, and a rename puts the result in place at once: a crash in the middle leaves no half
 * result, only a `.making-*` directory that the next maker of the same path removes. Two processes
 * never make the same path twice: the second waits for the first. `make` returns the path, inside
 * the directory it was given, of what shall stand at `path`.
 * @throws whatever `make` throws; nothing is kept then.
 */
export async function cached(
  path: string,
  say: Progress,
  make: (scratchDir: string) => Promise<string>,
): Promise<string> {
  if (await exists(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  return withLock(`${path}.lock`, say, async () => {
    if (await exists(path)) return path;
    await removeLeftovers(path);
    const scratchDir = await mkdtemp(`${path}.making-`);
    try {
      await rename(await make(scratchDir), path);
    } finally {
      await rm(scratchDir, { recursive: true, force: true });
    }
    return path;
  });
}

/**
 * Removes what makers of `path` left that died; the caller holds the lock, so none of them is
 * alive.
 */
async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.making-`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix)) await rm(join(dirname(path), name), { recursive: true, force: true });
  }
}

/**
 * Runs `work` while holding a lock on `file`. The lock is the kernel's (flock), held by a child
 * that lives exactly as long as this process keeps its stdin open: whatever way this process dies,
 * the lock is free again.
 * @throws Error when `flock` (util-linux) is not on this machine.
 */
export async function withLock<T>(file: string, say: Progress, work: () => Promise<T>): Promise<T> {
  const argv = ["flock", file, "sh", "-c", "echo held; exec cat >/dev/null"] as const;
  const holder = spawn(argv[0], argv.slice(1), { stdio: ["pipe", "pipe", "inherit"] });
  const waiting = setTimeout(() => say(`waiting until another process or step frees ${file}`), 1_000);
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once("error", error =>
        reject(new Error(`flock could not be started (${error.message}); install util-linux`)),
      );
      holder.once("exit", code =>
        reject(new Error(`flock on ${file} ended with code ${code}; is its directory writable?`)),
      );
      holder.stdout.once("data", () => resolve());
    });
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await work();
  } finally {
    holder.stdin.end();
  }
}

/** Looks for an executable file `name` in `directories`, in order. */
export async function findInPath(name: string, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    const path = join(directory, name);
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true && (found.mode & 0o111) !== 0) return path;
  }
  return undefined;
}
