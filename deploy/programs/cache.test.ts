import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cached, exists, withLock } from "./cache.ts";

const quiet = (): void => undefined;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "skep-cache-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Makes a file with the given text in the scratch directory. */
const making = (text: string) => async (scratchDir: string) => {
  const path = join(scratchDir, "made");
  await writeFile(path, text);
  return path;
};

describe("cached", () => {
  it("makes a thing once and then finds it", async () => {
    const path = join(directory, "a", "thing");
    await cached(path, quiet, making("first"));
    await cached(path, quiet, making("second"));
    expect(await readFile(path, "utf8")).toBe("first");
  });

  it("keeps nothing of a making that failed, and the next one succeeds", async () => {
    const path = join(directory, "thing");
    const failing = async (scratchDir: string): Promise<string> => {
      await making("half")(scratchDir);
      throw new Error("no space");
    };
    await expect(cached(path, quiet, failing)).rejects.toThrow("no space");
    expect(await readdir(directory)).toEqual(["thing.lock"]);
    await cached(path, quiet, making("whole"));
    expect(await readFile(path, "utf8")).toBe("whole");
  });

  it("makes a thing once when two want it at the same time", async () => {
    let makings = 0;
    const slow = async (scratchDir: string): Promise<string> => {
      makings += 1;
      await new Promise(resolve => setTimeout(resolve, 100));
      return making("slow")(scratchDir);
    };
    const path = join(directory, "thing");
    await Promise.all([cached(path, quiet, slow), cached(path, quiet, slow)]);
    expect(makings).toBe(1);
  });

  it("removes what a killed maker left and does not wait for its lock", async () => {
    const path = join(directory, "thing");
    const cacheFile = JSON.stringify(join(import.meta.dirname, "cache.ts"));
    const program = `import { cached } from ${cacheFile};
      await cached(${JSON.stringify(path)}, () => {}, async () => { console.log("making"); await new Promise(r => setTimeout(r, 60_000)); });`;
    const maker = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise(resolve => maker.stdout.once("data", resolve));
    expect((await readdir(directory)).filter(name => name.includes(".making-"))).toHaveLength(1);
    maker.kill("SIGKILL");
    await cached(path, quiet, making("whole"));
    expect((await readdir(directory)).toSorted()).toEqual(["thing", "thing.lock"]);
  });
});

describe("withLock", () => {
  it("frees the lock when the work throws", async () => {
    const file = join(directory, "lock");
    await expect(withLock(file, quiet, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await withLock(file, quiet, async () => "again")).toBe("again");
    expect(await exists(file)).toBe(true);
  });
});
