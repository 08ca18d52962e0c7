import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
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
