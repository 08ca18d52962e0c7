import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Db } from "mongodb";
import { onTestFinished } from "vitest";
import { startDeviceFleet, storedNumbers, type DeviceFleet, type StoredNumbers } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { eventually } from "../support/eventually.ts";
import type { WorkspaceFleet } from "../support/workspace-fleet.ts";
import { root } from "../tidy/sources.ts";

const run = promisify(execFile);

/** How many devices publish in each test, and how often each does. */
export const DEVICES = 2_000;
const EVERY_MS = 1_000;
const SETTLE_MS = 120_000;

/** Devices that publish to a workspace of a test's own. */
export interface Publishing {
  readonly id: string;
  readonly db: Db;
  readonly devices: readonly SentDevice[];
  readonly sending: DeviceFleet;
  /** Why the workspace does not work, as the API tells it; empty while it does. */
  trouble(): Promise<string>;
  /** What `skep workspace show` tells a person. */
  shown(): Promise<string>;
  /** Ends the devices; resolves with what is stored once nothing is missing, or much later. */
  settled(): Promise<StoredNumbers>;
}

/**
 * Begins; resolves when each device has published twice. Where `numbered` all devices number what
 * they send, else half of them.
 */
export async function startPublishing(fleet: WorkspaceFleet, id: string, numbered = false): Promise<Publishing> {
  await fleet.createWorkspace(id);
  const devices = await fleet.createDevices(id, DEVICES, numbered);
  const sending = await startDeviceFleet(fleet.gatePort, devices, EVERY_MS);
  onTestFinished(() => sending.kill());
  await sending.goesOn(2 * DEVICES);
  const db = fleet.databaseOf(id);
  return {
    ...{ id, db, devices, sending },
    trouble: async () => {
      const { status, lastError } = await fleet.client.containers.getContainerStatus({ containerId: id });
      return status === "healthy" ? "" : lastError || status;
    },
    shown: async () => {
      const command = [join(root, "packages", "cli", "src", "main.ts"), "workspace", "show", id];
      const env = { ...process.env, SKEP_URL: fleet.scheduler.apiUrl };
      return (await run(process.execPath, command, { env })).stdout;
    },
    settled: async () => {
      const { acknowledged } = await sending.end(SETTLE_MS);
      return eventually(async () => {
        const stored = await storedNumbers(db, devices, acknowledged);
        if (stored.missing > 0) throw new Error(`of ${stored.documents} documents are missing ${stored.missing}`);
        return stored;
      }, SETTLE_MS).catch(() => storedNumbers(db, devices, acknowledged));
    },
  };
}

/** Everything once, and nothing twice. */
export const WHOLE = { doubled: 0, missing: 0, unacknowledged: 0 };

/** The most memory that a process has had, MB; told beside the results of a run. */
export function peakMegabytes(pid: number): number {
  const [, kilobytes = "0"] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1_024);
}
