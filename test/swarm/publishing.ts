import { aConnector } from "@skep/core/testing/connector.ts";
import { expect, onTestFinished } from "vitest";
import { startDeviceFleet, storedNumbers, type DeviceFleet } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { eventually } from "../support/eventually.ts";
import { createDevices, createWorkspace } from "../support/workspace-fleet.ts";
import type { Platform } from "./platform.ts";
import { openStackDatabase } from "./workspace-database.ts";

const MQTT = 1883;

/** How many devices publish, and how often each of them. */
export interface Publishing {
  readonly devices: number;
  readonly everyMs: number;
}

/** A workspace, and devices that publish to it. */
export interface Begun {
  readonly workspaceId: string;
  readonly devices: readonly SentDevice[];
  readonly sending: DeviceFleet;
}

/** Makes a workspace of a mode, and has devices publish at QoS 1 through every edge. */
export async function beginPublishing(
  { client, fleet }: Platform,
  mode: "shared" | "standalone",
  { devices: count, everyMs }: Publishing,
): Promise<Begun> {
  const workspaceId = `${mode}-${Date.now().toString(36)}`;
  const { config, ...connector } = aConnector({ id: workspaceId });
  const { resources } = config;
  await createWorkspace(client, { ...connector, config: { ...config, resources: { ...resources, type: mode } } });
  const devices = await createDevices(client, workspaceId, count, true);
  const edges = fleet.nodes.map(node => node.address);
  const sending = await startDeviceFleet(MQTT, devices, everyMs, edges);
  onTestFinished(() => sending.kill());
  await sending.goesOn(2 * count);
  return { workspaceId, devices, sending };
}

/** Ends it. The stack's database has, or gets, each acknowledged message, and each once. */
export async function endsAllStored(platform: Platform, { sending, workspaceId, devices }: Begun): Promise<void> {
  const acknowledged = await endOf(sending);
  const database = await openStackDatabase(platform);
  onTestFinished(() => database.close());
  await eventually(async () => {
    const stored = await storedNumbers(database.of(workspaceId), devices, acknowledged);
    expect(stored).toMatchObject({ doubled: 0, missing: 0, unacknowledged: 0 });
  }, 60_000);
  await platform.client.workspaces.deleteWorkspace({ workspaceId });
}

/** Ends it. Of each device so many numbers have their PUBACK. */
export async function endOf(sending: DeviceFleet): Promise<readonly number[]> {
  const { acknowledged, repeated, ended } = await sending.end(120_000);
  const all = acknowledged.reduce((sum, one) => sum + one, 0);
  note(`${all} acknowledged, ${repeated} sent again, ${ended} connections ended`);
  return acknowledged;
}

/** Says something while a test runs. */
export function note(text: string): void {
  console.log(`  ${text}`);
}
