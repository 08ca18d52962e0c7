import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import type { Cluster } from "./cluster.ts";

const root = dirname(dirname(import.meta.dirname));

/**
 * Runs the `skep` command against the cluster, as a person would.
 * @throws Error with what it printed when it fails.
 */
export function skep(
  cluster: Cluster,
  argv: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = { ...process.env, SKEP_URL: cluster.apiUrl, SKEP_TOKEN_FILE: cluster.tokenFile, ...more };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [join(root, "packages/cli/src/main.ts"), ...argv], { env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`skep ${argv.join(" ")}: ${stderr || stdout || error.message}`));
      else resolve(stdout);
    });
  });
}
