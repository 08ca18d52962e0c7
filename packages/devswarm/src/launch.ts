import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { engineEnv } from "./settings.ts";

// The shell enters the cgroups before anything else happens, so that whatever it becomes is counted
// from the start.
const enterThenBecome = `while [ "$1" != -- ]; do echo 0 > "$1/cgroup.procs"; shift; done; shift; exec "$@"`;

/**
 * Starts a program that outlives this process: a session of its own, inside the given cgroup
 * directories, its output appended to a file. Returns the process id.
 */
export function launch(argv: readonly string[], cgroups: readonly string[], logFile: string): Promise<number> {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "a");
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", enterThenBecome, "launch", ...cgroups, "--", ...argv], {
      detached: true,
      stdio: ["ignore", log, log],
      env: engineEnv(),
      cwd: "/",
    });
    child.on("error", reject);
    child.on("spawn", () => {
      child.unref();
      if (child.pid === undefined) reject(new Error(`${argv.join(" ")} could not be started.`));
      else resolve(child.pid);
    });
    child.on("spawn", () => closeSync(log));
  });
}
