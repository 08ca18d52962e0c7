import { systemClock } from "@skep/kit/clock.ts";
import { createRecordingLog } from "@skep/kit/log.ts";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createChildGuard } from "./child-guard.ts";
import { GUARD_ARGUMENT } from "./message.ts";

const COPIES = [{ containerId: "ab".repeat(32), until: systemClock.monotonic() + 60_000 }];
/** Ten times as impatient as the real clock. */
const hasty = { ...systemClock, timer: (ms: number, run: () => void) => systemClock.timer(ms / 10, run) };

describe("a guard in a process of its own", () => {
  test("answers, and is started again after its end", async () => {
    const log = createRecordingLog();
    const args = [join(import.meta.dirname, "../main.ts"), GUARD_ARGUMENT, "/nowhere/docker.sock"];
    const guard = createChildGuard({ program: process.execPath, args, clock: systemClock, log });
    await guard.watch(COPIES);
    const pid = log.lines.find(line => line.event === "guard.started")?.fields["pid"];
    process.kill(pid as number, "SIGKILL");
    const hasExited = (): boolean => log.lines.some(line => line.event === "guard.exited");
    while (!hasExited()) await systemClock.sleep(10);
    await guard.watch(COPIES);
    expect(log.lines.map(line => line.event)).toEqual(["guard.started", "guard.exited", "guard.started"]);
    // Nothing is held any more, so that it ends with its agent.
    await guard.watch([]);
    guard.close();
  });

  test("is ended when it does not answer", async () => {
    const log = createRecordingLog();
    const guard = createChildGuard({ program: "/bin/sleep", args: ["100"], clock: hasty, log });
    await expect(guard.watch(COPIES)).rejects.toThrow("the guard has ended: SIGKILL");
    guard.close();
  });

  test("that cannot be started is an error each time", async () => {
    const log = createRecordingLog();
    const guard = createChildGuard({ program: "/nowhere/node", args: [], clock: systemClock, log });
    await expect(guard.watch(COPIES)).rejects.toThrow("ENOENT");
    await expect(guard.watch(COPIES)).rejects.toThrow("ENOENT");
    guard.close();
  });

  test("is not started while there is nothing to watch", async () => {
    const log = createRecordingLog();
    const guard = createChildGuard({ program: "/bin/sleep", args: ["100"], clock: systemClock, log });
    await guard.watch([]);
    expect(log.lines).toEqual([]);
    guard.close();
  });
});
