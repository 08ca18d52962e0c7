import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createScope, killScope } from "./cgroups.ts";
import { engineConfig } from "./engine-config.ts";
import { answers } from "./engine-api.ts";
import { launch } from "./launch.ts";
import { fleetAddresses } from "./names.ts";
import type { NodeNames } from "./names.ts";
import { identify, isAlive, signal } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";

/**
 * Boots a node's engine in the node's (existing) network namespace and returns the identity of its
 * first process, without waiting for the engine to answer. Throws an Error with the end of the log
 * when it dies at once.
 */
export async function bootEngine(
  node: NodeNames,
  runDir: string,
  subnetNumber: number,
  majorVersion: number,
): Promise<ProcessIdentity> {
  for (const file of [node.bootFile, node.socket]) rmSync(file, { force: true });
  writeFileSync(node.configFile, `${JSON.stringify(engineConfig(node, subnetNumber, majorVersion), undefined, 2)}\n`);
  const inNetwork = ["nsenter", `--net=/run/netns/${node.scope}`];
  const inOwnRest = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--propagation", "private"];
  const script = join(import.meta.dirname, "boot-node.sh");
  const { bridge } = fleetAddresses(subnetNumber);
  await launch(
    [...inNetwork, ...inOwnRest, "bash", script, node.node, runDir, node.dataDir, bridge],
    createScope(node.scope),
    node.logFile,
  );
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const pid = existsSync(node.bootFile) ? Number(readFileSync(node.bootFile, "utf8").split(" ")[0]) : 0;
    const identity = pid > 0 ? identify(pid) : undefined;
    if (identity !== undefined) return identity;
    await sleep(10);
  }
  throw new Error(`${node.node} did not boot. Its log (${node.logFile}) ends with:\n${endOfLog(node.logFile)}`);
}

/**
 * Waits until the engine answers on its socket. Throws an Error with the end of its log when it
 * dies or takes longer.
 */
export async function awaitEngine(
  node: NodeNames,
  boot: ProcessIdentity,
  stop?: AbortSignal,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await answers(node.socket))) {
    stop?.throwIfAborted();
    const isGone = !isAlive(boot);
    if (isGone || Date.now() > deadline) {
      const what = isGone ? "ended while it started" : `did not answer within ${timeoutMs} ms`;
      throw new Error(
        `The engine of ${node.node} ${what}. Its log (${node.logFile}) ends with:\n${endOfLog(node.logFile)}`,
      );
    }
    await sleep(30);
  }
}

/**
 * Kills everything of a node at once. The death of its first process takes its whole process
 * namespace with it: engine, containerd, shims and containers in one stroke. What the cgroup still
 * holds then is killed too.
 */
export async function killEngine(node: NodeNames, boot: ProcessIdentity | undefined): Promise<void> {
  if (boot !== undefined) signal(boot, "SIGKILL");
  await killScope(node.scope);
}

/** The last lines of a log file, for error messages. */
export function endOfLog(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").slice(-15).join("\n") : "(there is no log)";
}
