import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { asOnlyStart } from "./quickstart/one-start.ts";
import { whyLocalEngine } from "./quickstart/ground.ts";
import { parseStartOptions } from "./quickstart/options.ts";

/** Where no fleet can be, a start would use the machine's own engine. */
const options = parseStartOptions([]);
const hasFleets = options !== "help" && whyLocalEngine(options) === undefined;

it.runIf(hasFleets)(
  "ends, with words, where neither the start nor taking down can be",
  () => {
    const script = join(import.meta.dirname, "start.ts");
    const { status, signal, stderr } = spawnSync(process.execPath, [script, "--fleet", "muchtoolongname"], {
      encoding: "utf8",
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    expect({ status, signal }).toEqual({ status: 2, signal: null });
    expect(stderr).toContain('"muchtoolongname" cannot be the name of a fleet');
  },
  30_000,
);

it.runIf(process.platform === "linux")(
  "is refused while another start has the fleet, and nothing is done",
  async () => {
    const home = mkdtempSync(join(tmpdir(), "start-"));
    vi.stubEnv("HOME", home);
    const second = vi.fn<() => Promise<void>>(() => Promise.resolve());
    await asOnlyStart("skep", async () => {
      await expect(asOnlyStart("skep", second)).rejects.toThrow(
        `Fleet skep belongs to another npm start (process ${process.pid}): nothing was touched.`,
      );
      expect(second).not.toHaveBeenCalled();
      await asOnlyStart("other", second);
    });
    await asOnlyStart("skep", second);
    expect(second).toHaveBeenCalledTimes(2);
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true });
  },
);
