import { aConnector } from "@skep/core/testing/connector.ts";
import { killNode, startNode } from "@skep/devswarm/fleet.ts";
import { Liveness } from "@skep/sdk/index.ts";
import { expect, it, onTestFinished } from "vitest";
import { startDeviceFleet, storedNumbers } from "../../support/device-fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { createDevices, createWorkspace } from "../../support/workspace-fleet.ts";
import type { Platform } from "../platform.ts";
import { openStackDatabase } from "../workspace-database.ts";

const MQTT = 1883;

/** How many devices publish, and how often each of them. */
export interface Publishing {
  readonly devices: number;
  readonly everyMs: number;
}

/** A node dies with the host of a workspace, while devices publish at QoS 1 through every edge. */
export function workspaceLossScenarios(given: () => Platform, { devices: count, everyMs }: Publishing): void {
  it(`stores what ${count} devices were acknowledged, once, when the node of a shared host dies`, async () => {
    const platform = given();
    const { client, fleet } = platform;
    const workspaceId = `shared-${Date.now().toString(36)}`;
    await createWorkspace(client, aConnector({ id: workspaceId }));
    const devices = await createDevices(client, workspaceId, count, true);
    const edges = fleet.nodes.map(node => node.address);
    const sending = await startDeviceFleet(MQTT, devices, everyMs, edges);
    onTestFinished(() => sending.kill());
    await sending.goesOn(2 * count);

    const victim = await nodeOfHost(platform, workspaceId);
    const killedAt = performance.now();
    await killNode(fleet, victim);
    onTestFinished(async () => wholeAgain(platform, victim));
    await eventually(async () => expect(await nodeOfHost(platform, workspaceId)).not.toBe(victim), 60_000, 100);
    note(`another host has it after ${((performance.now() - killedAt) / 1000).toFixed(1)} s`);
    await sending.goesOn(3 * count, 120_000);
    await wholeAgain(platform, victim);
    await sending.goesOn(count);

    const { acknowledged, repeated, ended } = await sending.end(120_000);
    note(
      `${acknowledged.reduce((all, one) => all + one, 0)} acknowledged, ${repeated} sent again, ${ended} connections ended`,
    );
    const database = await openStackDatabase(platform);
    onTestFinished(() => database.close());
    await eventually(async () => {
      const stored = await storedNumbers(database.of(workspaceId), devices, acknowledged);
      expect(stored).toMatchObject({ doubled: 0, missing: 0, unacknowledged: 0 });
    }, 60_000);
    await client.workspaces.deleteWorkspace({ workspaceId });
  });
}

/** The name of the node that the records have its host on. */
async function nodeOfHost({ client, fleet }: Platform, workspaceId: string): Promise<string> {
  const { workspace } = await client.workspaces.getWorkspace({ workspaceId });
  const node = fleet.nodes.find(one => one.swarmId === workspace?.location?.nodeId);
  if (node === undefined) throw new Error(`no host has ${workspaceId}: ${workspace?.waiting ?? ""}`);
  return node.name;
}

async function wholeAgain({ client, fleet }: Platform, victim: string): Promise<void> {
  await startNode(fleet, victim);
  await eventually(async () => {
    const { nodes } = await client.nodes.listNodes({});
    expect(nodes.map(node => node.liveness)).toEqual(fleet.nodes.map(() => Liveness.READY));
  }, 120_000);
}

function note(text: string): void {
  console.log(`  ${text}`);
}
