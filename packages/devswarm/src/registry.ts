import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createScope } from "./cgroups.ts";
import { endOfLog } from "./engine.ts";
import { launch } from "./launch.ts";
import { fleetAddresses } from "./names.ts";
import type { FleetNames } from "./names.ts";
import { identify, isAlive } from "./processes.ts";
import type { ProcessIdentity } from "./processes.ts";

/** The scope (cgroup) of a fleet's registry. */
export function registryScope(names: FleetNames): string {
  return `${names.prefix}registry`;
}

// JSON is YAML: the registry reads it as it is.
function registryConfig(names: FleetNames, subnetNumber: number): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: names.registryDir }, delete: { enabled: true } },
    http: { addr: fleetAddresses(subnetNumber).registry },
  });
}

/**
 * Starts the fleet's image registry on the bridge address and waits until it listens. Its blobs
 * stay in the cache.
 */
export async function startRegistry(
  names: FleetNames,
  subnetNumber: number,
  stop?: AbortSignal,
): Promise<ProcessIdentity> {
  mkdirSync(names.registryDir, { recursive: true });
  const configFile = join(names.runDir, "registry.yml");
  const logFile = join(names.logDir, "registry.log");
  writeFileSync(configFile, registryConfig(names, subnetNumber));
  const pid = await launch(
    ["nsenter", `--net=/run/netns/${names.networkNamespace}`, "docker-registry", "serve", configFile],
    createScope(registryScope(names)),
    logFile,
  );
  const identity = identify(pid);
  const address = `http://${fleetAddresses(subnetNumber).registry}/v2/`;
  for (let attempt = 0; identity !== undefined && isAlive(identity) && attempt < 300; attempt += 1) {
    stop?.throwIfAborted();
    const answer = await fetch(address, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok === true) return identity;
    await sleep(30);
  }
  throw new Error(`The registry did not answer at ${address}. Its log (${logFile}) ends with:\n${endOfLog(logFile)}`);
}
