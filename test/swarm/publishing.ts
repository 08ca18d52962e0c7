import { aConnector } from "@skep/core/testing/connector.ts";
import { onTestFinished } from "vitest";
import { startDeviceFleet, type DeviceFleet } from "../support/device-fleet.ts";
import type { SentDevice } from "../support/device-fleet-process.ts";
import { createDevices, createWorkspace } from "../support/workspace-fleet.ts";
import type { Platform } from "./platform.ts";

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
