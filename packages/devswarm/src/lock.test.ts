import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withLock } from "./lock.ts";
import { identify, isAlive, signal } from "./processes.ts";

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lock-"));
  file = join(directory, "one", "fleet.lock");
});
afterEach(() => rmSync(directory, { recursive: true }));

describe.skipIf(process.platform !== "linux")("a lock", () => {
  test("lets one at a time work, in the same process too, and leaves no file", async () => {
    let working = 0;
    const works = Array.from({ length: 5 }, () =>
      withLock(file, 10_000, async () => {
        working += 1;
        expect(working).toBe(1);
        await sleep(5);
        working -= 1;
      }),
    );
    await Promise.all(works);
    expect(existsSync(join(directory, "one"))).toBe(false);
  });

  test("is given back when the work fails", async () => {
    await expect(withLock(file, 1_000, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    await expect(withLock(file, 1_000, () => Promise.resolve(7))).resolves.toBe(7);
  });

  test("names its holder to those who wait too long", async () => {
    await withLock(file, 1_000, async () => {
      await expect(withLock(file, 100, () => Promise.resolve())).rejects.toThrow(
        new RegExp(`held by process ${process.pid}`),
      );
    });
  });

  test("is taken over from a process that is gone, though its id may be in use again", async () => {
    await withLock(file, 1_000, async () => undefined);
    const me = identify(process.pid);
    await withLock(join(directory, "one", "other.lock"), 1_000, () => {
      writeFileSync(file, JSON.stringify({ ...me, startTicks: (me?.startTicks ?? 0) - 1, token: "old" }));
      return withLock(file, 1_000, () => Promise.resolve());
    });
    expect(existsSync(file)).toBe(false);
  });
});

describe.skipIf(process.platform !== "linux")("a process", () => {
  test("is known by more than its id", () => {
    const me = identify(process.pid);
    if (me === undefined) throw new Error("this process is not in /proc");
    expect(isAlive(me)).toBe(true);
    for (const other of [{ startTicks: me.startTicks + 1 }, { bootId: "another boot" }]) {
      expect(isAlive({ ...me, ...other })).toBe(false);
      expect(signal({ ...me, ...other }, "SIGKILL")).toBe(false);
    }
    expect(identify(2 ** 22 + 1)).toBeUndefined();
  });
});
