import { setTimeout as sleep } from "node:timers/promises";
import { podId } from "@skep/core/workspace/pod.ts";
import { killNode, startNode } from "@skep/devswarm/fleet.ts";
import { fleetUsage } from "@skep/devswarm/usage.ts";
import { Liveness } from "@skep/sdk/index.ts";
import { expect, it, onTestFinished } from "vitest";
import { storedNumbers } from "../../support/device-fleet.ts";
import { eventually } from "../../support/eventually.ts";
import { nodeOf, type Platform } from "../platform.ts";
import { beginPublishing, endOf, endsAllStored, note, type Publishing } from "../publishing.ts";
import { openPodDatabase } from "../workspace-database.ts";

const AWAY_MS = 5_000;

/** A node dies with the host of a workspace, while devices publish at QoS 1 through every edge. */
export function workspaceLossScenarios(given: () => Platform, publishing: Publishing): void {
  it(`stores what ${publishing.devices} devices were acknowledged, once, when the node of a shared host dies`, async () => {
    const platform = given();
    const begun = await beginPublishing(platform, "shared", publishing);
    const { sending, workspaceId } = begun;
    // R141: the whole system, engines of the Swarm and of workspaces, with all devices connected.
    const { memoryBytes } = fleetUsage(platform.fleet);
    note(`all of it uses ${(memoryBytes / 1e9).toFixed(1)} GB of memory`);
    expect(memoryBytes).toBeLessThan(4e9);
    const victim = await nodeOfHost(platform, workspaceId);
    const killedAt = performance.now();
    await killNode(platform.fleet, victim);
    onTestFinished(async () => wholeAgain(platform, victim));
    await eventually(async () => expect(await nodeOfHost(platform, workspaceId)).not.toBe(victim), 60_000, 100);
    note(`another host has it after ${seconds(killedAt)}`);
    await sending.goesOn(3 * publishing.devices, 120_000);
    await wholeAgain(platform, victim);
    await sending.goesOn(publishing.devices);

    await endsAllStored(platform, begun);
  });

  // Its node takes the broker along, which acknowledges before anything is on a disk.
  it(`stores what ${publishing.devices} devices were acknowledged, once, when the node of a standalone one dies`, async () => {
    const platform = given();
    const { client, fleet } = platform;
    // The control plane's node is not to die here.
    const nodeId = nodeOf(fleet, "node-1").swarmId;
    await eventually(() => client.nodes.pauseNode({ nodeId }), 30_000);
    onTestFinished(async () => void (await eventually(() => client.nodes.activateNode({ nodeId }), 30_000)));
    const { sending, workspaceId, devices } = await beginPublishing(platform, "standalone", publishing);
    const pod = podId("default", workspaceId);
    const { instances } = await client.instances.listInstances({ deploymentId: pod });
    const victim = instances[0]?.hostname ?? "";
    await killNode(fleet, victim);
    onTestFinished(async () => wholeAgain(platform, victim));
    await sleep(AWAY_MS);
    const back = performance.now();
    await wholeAgain(platform, victim);
    await sending.goesOn(3 * publishing.devices, 180_000);
    note(`its devices go on ${seconds(back)} after its node began again`);

    const acknowledged = await endOf(sending);
    const database = await openPodDatabase(platform, victim, pod);
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

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
